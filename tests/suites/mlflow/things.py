"""Runs, models and versions to try something on, each new; what cannot be made ends the script."""

import uuid

API = "/api/2.0/mlflow"
# What is tried, in the order in which it is written.
ABUSES = []


def abuse(function):
    ABUSES.append(function)
    return function


def fresh(word="abuse"):
    return f"{word}-{uuid.uuid4().hex}"


def finished(server):
    """A run that is over."""
    run = server.run()
    server.must("POST", f"{API}/runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1})
    return run


def model(server):
    """A registered model."""
    name = fresh("model")
    server.must("POST", f"{API}/registered-models/create", {"name": name})
    return name


def logged(server, run):
    """A model that a run logged."""
    fields = {"experiment_id": "0", "source_run_id": run}
    return server.must("POST", f"{API}/logged-models", fields)["model"]["info"]["model_id"]


def version(server, name):
    """A version of a model, of a run of its own."""
    run = server.run()
    source = f"mlflow-artifacts:/0/{run}/artifacts/m"
    fields = {"name": name, "source": source, "run_id": run}
    return server.must("POST", f"{API}/model-versions/create", fields)["model_version"]["version"]


def seen(server, name, version):
    return server.must("GET", f"{API}/model-versions/get", {"name": name, "version": version})["model_version"]
