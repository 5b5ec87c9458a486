"""engine.py: an engine that serves notebooks. Each has an interpreter of its own, from an environment of its own, that the
engine starts as its child and that shares the engine's Spark, as on an all-purpose cluster."""

import os
import sys
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
jvm = spark.sparkContext._gateway.jvm
for number in sys.argv[1:]:
    environment = f"/local_disk0/.ephemeral_nfs/envs/pythonEnv-{number}"
    words = [f"{environment}/bin/python", "-m", "ipykernel_launcher", "-f", f"/databricks/kernel-connections/{number}.json"]
    array = spark.sparkContext._gateway.new_array(jvm.String, len(words))
    for at, word in enumerate(words):
        array[at] = word
    builder = jvm.java.lang.ProcessBuilder(array)
    variables = {
        "VIRTUAL_ENV": environment,
        "PATH": f"{environment}/bin:{os.environ['PATH']}",
        "PYSPARK_GATEWAY_PORT": os.environ["PYSPARK_GATEWAY_PORT"],
        "PYSPARK_GATEWAY_SECRET": os.environ["PYSPARK_GATEWAY_SECRET"],
    }
    for name, value in variables.items():
        builder.environment().put(name, value)
    log = jvm.java.io.File(f"/databricks/driver/logs/notebook-{number}.log")
    builder.redirectErrorStream(True).redirectOutput(log).start()
print("ready", flush=True)
while True:
    time.sleep(60)
