"""A daemon of the job's own: it lies to every worker, then does what Spark's daemon does."""

import os
import runpy

os.environ["DAEMON"] = "the job's own"
os.environ["LONGHORN_SCOPE"] = "admin"
runpy.run_module("pyspark.daemon", run_name="__main__")
