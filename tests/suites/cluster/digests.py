"""Each executor's Python says where it is and what it is told."""
import json
import os
from pyspark import SparkContext


def tell(_):
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
    context = json.load(open("/run/longhorn/context.json")) if os.path.exists("/run/longhorn/context.json") else {}
    return {
        "host": os.uname().nodename,
        "status": {name: status[name].strip() for name in ("NoNewPrivs", "Seccomp", "CapBnd", "Uid")},
        "context": context,
        "environment": sorted(os.environ),
    }


sc = SparkContext()
found = sc.parallelize(range(8), 8).map(lambda x: (__import__("time").sleep(0.5), tell(x))[1]).collect()
print(json.dumps({"driver": tell(0), "executors": found}))
sc.stop()
