"""inferred.py SERVER TOKENS SCRATCH: logs a model whose own code imports the plugin, and prints what MLflow inferred that it needs."""

import os
import sys

import tokens

SERVER, TOKENS, SCRATCH = sys.argv[1:]
FILE = os.path.join(SCRATCH, "context.jwt")
HONEST = tokens.read(TOKENS, "context.jwt")
tokens.publish(FILE, HONEST)
tokens.plugin(FILE)

import mlflow
import mlflow.pyfunc


class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        import longhorn_mlflow

        self.needs = longhorn_mlflow.__name__

    def predict(self, context, model_input, params=None):
        return model_input


mlflow.set_tracking_uri(SERVER)
with mlflow.start_run():
    model = mlflow.pyfunc.log_model(name="model", python_model=Model())
tags = mlflow.get_logged_model(model.model_id).tags
assert {name: value for name, value in tags.items() if name.startswith("longhorn")} == tokens.tags(HONEST), tags
place = mlflow.artifacts.download_artifacts(model.model_uri, dst_path=SCRATCH)
for name in ("requirements.txt", "conda.yaml"):
    with open(os.path.join(place, name), encoding="utf-8") as file:
        print(file.read())
