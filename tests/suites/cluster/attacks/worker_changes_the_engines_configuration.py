"""expect: stopped by Permission denied|Read-only file system

A task rewrites what the next engine on its node starts with."""

APPLICATION = "plain"


def attempt(sc):
    def change():
        with open("/databricks/spark/conf/spark-env.sh", "w") as file:
            return file.write("export SMUGGLED=1\n")

    found = everywhere(sc, change)
    return found
