# Stands in for a base image of Databricks Container Services: the same demands, met by Debian.
FROM localhost/longhorn-base
RUN useradd libraries && usermod -L libraries && mkdir -p /databricks/driver/conf /databricks/spark/conf /databricks/jars
ENV LANG=C.UTF-8 LC_ALL=C.UTF-8
USER root
