"""A small model, trained with the standard library alone: logistic regression on made-up payments."""
import json
import math
import os
import random
import sys

random.seed(7)
rows = [(amount, night, 1 if amount * 0.8 + night * 1.5 + random.gauss(0, 0.4) > 1.6 else 0)
        for amount, night in ((random.random() * 2, random.randint(0, 1)) for _ in range(400))]
w, v, b = 0.0, 0.0, 0.0
for _ in range(300):
    for amount, night, fraud in rows:
        error = 1 / (1 + math.exp(-(w * amount + v * night + b))) - fraud
        w, v, b = w - 0.05 * error * amount, v - 0.05 * error * night, b - 0.05 * error
right = sum((w * amount + v * night + b > 0) == bool(fraud) for amount, night, fraud in rows)
model = sys.argv[1] if len(sys.argv) > 1 else "/tmp/model.json"
with open(model, "w") as out:
    json.dump({"w": w, "v": v, "b": b}, out)
print(f"accuracy {right / len(rows):.3f}, model written to {model}")
path = os.environ.get("LONGHORN_CONTEXT_FILE")
if path:
    with open(path) as file:
        context = json.load(file)
    print("subject    ", context["sub"])
    print("run as     ", context["run_as"]["name"])
    print("scope      ", context["scope"], "may", ", ".join(context["permissions"]))
    print("lock       ", context["lock"]["strength"])
else:
    print("context     none: nobody attested this program")
