"""A job that needs variables and files: it says what it has of them."""
import os
import sys
import time

model = open("/srv/models/fraud/weights.bin").read()
out = open("/Volumes/main/gold/sales/scores", "w")
held = open("/srv/models/fraud/weights.bin")
time.sleep(float(sys.argv[1]))
names = ["SPARK_LOCAL_DIRS", "MY_SETTING", "FRAUD_API_KEY", "PYTHONSTARTUP", "LONGHORN_SCOPE"]
print(model.strip(), *[os.environ.get(name) for name in names])
