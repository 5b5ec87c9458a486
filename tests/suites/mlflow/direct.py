"""direct.py URL COMMAND …: what somebody does who reaches the registry past the gateway.

make            makes a run and a logged model of it, and copies the statements of the newest bound run onto them; prints their ids
show RUN MODEL  prints what the registry shows of a run, of a logged model and of the versions of `sealed`, as JSON
edit RUN        changes a metric of a run that has ended
fetch MODEL DIR takes the files of a logged model to a directory; prints where they are
tag VERSION KEY VALUE
                sets a tag of a version of `fraud`
seed            makes an experiment, a run with a file, and the registered model `fraud` with an alias; prints the first two ids
"""

import json
import sys

import mlflow
import requests

url, command, *arguments = sys.argv[1:]
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()


def get(path, **query):
    answer = requests.get(url + path, params=query, timeout=20)
    answer.raise_for_status()
    return answer.json()


match command:
    case "make":
        run = client.create_run("0")
        post = {"experiment_id": "0", "name": "foreign", "source_run_id": run.info.run_id}
        model = requests.post(url + "/api/2.0/mlflow/logged-models", json=post, timeout=20).json()["model"]["info"]["model_id"]
        for bound in client.search_runs([e.experiment_id for e in client.search_experiments()], max_results=100):
            if "longhorn.run_binding" in bound.data.tags:
                for key, value in bound.data.tags.items():
                    if key.startswith("longhorn."):
                        client.set_tag(run.info.run_id, key, value)
                break
        print(run.info.run_id, model)
    case "show":
        run, model = arguments
        versions = client.search_model_versions("name='sealed'")
        print(json.dumps({
            "run": get("/api/2.0/mlflow/runs/get", run_id=run),
            "model": get(f"/api/2.0/mlflow/logged-models/{model}"),
            "versions": [get("/api/2.0/mlflow/model-versions/get", name="sealed", version=version.version) for version in versions],
        }))
    case "edit":
        client.log_metric(arguments[0], "auc", 0.99, step=1)
    case "tag":
        client.set_model_version_tag("fraud", *arguments)
    case "seed":
        experiment = client.create_experiment("seeded")
        run = client.create_run(experiment)
        client.log_text(run.info.run_id, "there", "there.txt")
        client.create_registered_model("fraud")
        version = client.create_model_version("fraud", f"{run.info.artifact_uri}/there.txt", run_id=run.info.run_id)
        client.set_registered_model_alias("fraud", "champion", version.version)
        print(experiment, run.info.run_id)
    case "fetch":
        model, directory = arguments
        where = client.get_logged_model(model).artifact_location
        print(mlflow.artifacts.download_artifacts(artifact_uri=where, dst_path=directory))
