"""A job that is heavy on Python and shuffles: what a feature pipeline does all day."""

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, count, sum, udf
from pyspark.sql.types import IntegerType

spark = SparkSession.builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


@udf(IntegerType())
def score(value):
    for _ in range(200):
        value = (value * 1103515245 + 12345) % 2147483648
    return value % 1000


rows = spark.range(0, 120_000, 1, 4).select(score(col("id").cast("int")).alias("key"), "id")
grouped = rows.repartition(4, "key").groupBy("key").agg(count("*").alias("n"), sum("id").alias("total"))
print("sum", grouped.agg(sum("n"), sum("total")).collect())
spark.stop()
