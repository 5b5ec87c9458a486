"""abuses.py URL [OTHERS]: what a job may try that is spelled as it should be. One line each, `name honoured|refused status`:
honoured is what had its effect.

Everything of the job's own is made at URL. What is other people's is made, and looked at, at OTHERS: the server itself where URL
is what stands before it. `plain` is no abuse: where it is refused, the others say nothing."""

import json
import sys
import urllib.parse
import uuid

from things import ABUSES, API, abuse, finished, fresh, logged, model, seen
from wire import Server, main

FILES = "/api/2.0/mlflow-artifacts/artifacts"


@abuse
def plain(mine, others):
    run = mine.run()
    status, _ = mine.ask("POST", f"{API}/runs/log-parameter", {"run_id": run, "key": "plain", "value": "x"})
    return any(one["key"] == "plain" for one in others.seen(run)["data"].get("params", [])), status


# --- what a version says of its run is a claim


def registered(mine, others, source, **more):
    """Registers a version with this source; whether the registry has it so."""
    name = model(mine)
    status, answer = mine.ask("POST", f"{API}/model-versions/create", {"name": name, "source": source, **more})
    made = answer.get("model_version", {}).get("version")
    return made is not None and seen(others, name, made)["source"] == source, status


@abuse
def source_elsewhere(mine, others):
    return registered(mine, others, "s3://evil/model", run_id=mine.run())


@abuse
def source_of_another_run(mine, others):
    return registered(mine, others, f"mlflow-artifacts:/0/{others.run()}/artifacts/m", run_id=mine.run())


@abuse
def run_that_is_not_there(mine, others):
    return registered(mine, others, "s3://evil/model", run_id="0" * 32)


@abuse
def no_run_at_all(mine, others):
    return registered(mine, others, "s3://evil/model")


@abuse
def logged_model_of_a_run_that_is_not_there(mine, others):
    status, answer = mine.ask("POST", f"{API}/logged-models", {"experiment_id": "0", "source_run_id": "0" * 32})
    return "model" in answer, status


@abuse
def logged_model_of_another_run(mine, others):
    status, answer = mine.ask("POST", f"{API}/logged-models", {"experiment_id": "0", "source_run_id": others.run()})
    return "model" in answer, status


@abuse
def version_of_a_logged_model_under_another_run(mine, others):
    own = logged(mine, mine.run())
    return registered(mine, others, f"models:/{own}", model_id=own, run_id=others.run())


@abuse
def version_of_a_logged_model_of_others(mine, others):
    theirs = logged(others, others.run())
    return registered(mine, others, f"models:/{theirs}", model_id=theirs)


@abuse
def source_in_a_local_file(mine, others):
    return registered(mine, others, "file:///etc", run_id=mine.run())


@abuse
def source_by_percent(mine, others):
    run = mine.run()
    return registered(mine, others, f"mlflow-artifacts:/0/{run}/artifacts/%2e%2e/%2e%2e/x", run_id=run)


# --- where files will be written


def placed(mine, others, location):
    status, answer = mine.ask("POST", f"{API}/experiments/create", {"name": fresh(), "artifact_location": location})
    if "experiment_id" not in answer:
        return False, status
    found = others.must("GET", f"{API}/experiments/get", {"experiment_id": answer["experiment_id"]})
    return found["experiment"]["artifact_location"] == location, status


@abuse
def artifacts_in_etc(mine, others):
    return placed(mine, others, "/etc")


@abuse
def artifacts_outside(mine, others):
    return placed(mine, others, "file:///tmp/../../etc")


@abuse
def artifacts_elsewhere(mine, others):
    return placed(mine, others, "s3://evil/artifacts")


# --- a run that is over


@abuse
def metric_after_the_end(mine, others):
    run = finished(mine)
    status, _ = mine.ask("POST", f"{API}/runs/log-metric", {"run_id": run, "key": "late", "value": 1, "timestamp": 2, "step": 0})
    return any(one["key"] == "late" for one in others.seen(run)["data"].get("metrics", [])), status


@abuse
def batch_after_the_end(mine, others):
    run = finished(mine)
    status, _ = mine.ask("POST", f"{API}/runs/log-batch", {"run_id": run, "params": [{"key": "late", "value": "x"}]})
    return any(one["key"] == "late" for one in others.seen(run)["data"].get("params", [])), status


@abuse
def tag_after_the_end(mine, others):
    run = finished(mine)
    status, _ = mine.ask("POST", f"{API}/runs/set-tag", {"run_id": run, "key": "late", "value": "x"})
    return "late" in others.tags(run), status


@abuse
def input_after_the_end(mine, others):
    run = finished(mine)
    dataset = {"name": "late", "digest": "1", "source_type": "local", "source": "{}"}
    status, _ = mine.ask("POST", f"{API}/runs/log-inputs", {"run_id": run, "datasets": [{"dataset": dataset}]})
    return bool(others.seen(run).get("inputs", {}).get("dataset_inputs")), status


@abuse
def output_after_the_end(mine, others):
    run = finished(mine)
    models = [{"model_id": logged(mine, mine.run()), "step": 0}]
    status, _ = mine.ask("POST", f"{API}/runs/outputs", {"run_id": run, "models": models})
    return bool(others.seen(run).get("outputs", {}).get("model_outputs")), status


@abuse
def reopened_after_the_end(mine, others):
    run = finished(mine)
    status, _ = mine.ask("POST", f"{API}/runs/update", {"run_id": run, "status": "RUNNING"})
    return others.seen(run)["info"]["status"] == "RUNNING", status


@abuse
def model_after_the_end(mine, others):
    """The history of models that a run logged is one of its tags."""
    run = finished(mine)
    text = {"artifact_path": "m", "flavors": {}, "utc_time_created": "2026-01-01 00:00:00", "run_id": run}
    status, _ = mine.ask("POST", f"{API}/runs/log-model", {"run_id": run, "model_json": json.dumps(text)})
    return "mlflow.log-model.history" in others.tags(run), status


def stored(mine, others, path):
    """Puts a file; whether it is there."""
    text = fresh()
    status, _ = mine.send("PUT", f"{FILES}/{path}", text.encode(), kind="application/octet-stream")
    return others.send("GET", f"{FILES}/{path}") == (200, text), status


@abuse
def file_after_the_end(mine, others):
    return stored(mine, others, f"0/{finished(mine)}/artifacts/m/MLmodel")


# --- what is others'


@abuse
def file_of_another_run(mine, others):
    return stored(mine, others, f"0/{others.run()}/artifacts/m/MLmodel")


@abuse
def file_of_another_model(mine, others):
    return stored(mine, others, f"0/models/{logged(others, others.run())}/artifacts/MLmodel")


@abuse
def file_of_nobody(mine, others):
    return stored(mine, others, fresh())


@abuse
def file_of_another_run_by_the_user_interface(mine, others):
    run, text = others.run(), fresh()
    query = urllib.parse.urlencode({"run_uuid": run, "path": "m/MLmodel"})
    status, _ = mine.send("POST", f"/ajax-api/2.0/mlflow/upload-artifact?{query}", text.encode(), kind="application/octet-stream")
    return others.send("GET", f"{FILES}/0/{run}/artifacts/m/MLmodel") == (200, text), status


@abuse
def run_by_the_user_interface(mine, others):
    """A run with parameters, tags and a model, in one request that is none of those."""
    fields = {"prompt_template": "x", "prompt_parameters": [{"key": "x", "value": "x"}], "model_route": "x", "model_input": "x"}
    fields |= {"experiment_id": "0", "model_output": "x", "mlflow_version": "3.17.2", "run_name": fresh()}
    status, answer = mine.ask("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run", fields)
    return status == 200 and others.seen(answer["run"]["info"]["run_id"])["info"]["status"] == "FINISHED", status


@abuse
def list_of_all_files(mine, others):
    status, text = mine.send("GET", FILES)
    return status == 200 and '"files"' in text, status


@abuse
def tag_of_another_run(mine, others):
    run = others.run()
    status, _ = mine.ask("POST", f"{API}/runs/set-tag", {"run_id": run, "key": "mine", "value": "x"})
    return "mine" in others.tags(run), status


@abuse
def deleted_run_of_others(mine, others):
    run = others.run()
    status, _ = mine.ask("POST", f"{API}/runs/delete", {"run_id": run})
    return others.seen(run)["info"]["lifecycle_stage"] == "deleted", status


def scored(mine, others, word, fields):
    """Logs to a run of one's own what names the model of another; whether the model has it."""
    theirs = logged(others, others.run())
    status, _ = mine.ask("POST", f"{API}/runs/{word}", {"run_id": mine.run(), **fields(theirs)})
    found = others.must("GET", f"{API}/logged-models/{theirs}", {})["model"]
    return any(one["key"] == "accuracy" for one in found.get("data", {}).get("metrics", [])), status


ACCURACY = {"key": "accuracy", "value": 1, "timestamp": 1, "step": 0}


@abuse
def metric_of_another_model(mine, others):
    return scored(mine, others, "log-metric", lambda theirs: {"model_id": theirs, **ACCURACY})


@abuse
def metric_of_another_model_in_a_batch(mine, others):
    return scored(mine, others, "log-batch", lambda theirs: {"metrics": [{"model_id": theirs, **ACCURACY}]})


@abuse
def metric_of_another_run_in_a_batch(mine, others):
    theirs = others.run()
    status, _ = mine.ask("POST", f"{API}/runs/log-batch", {"run_id": mine.run(), "metrics": [{"run_id": theirs, **ACCURACY}]})
    return bool(others.seen(theirs)["data"].get("metrics")), status


@abuse
def trace_of_another_run(mine, others):
    """Spans say in a header which run they are of."""
    run, trace = others.run(), uuid.uuid4().hex
    span = {"traceId": trace, "spanId": trace[:16], "name": "x", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    status, _ = mine.send("POST", "/v1/traces", body, "x-mlflow-experiment-id: 0", f"x-mlflow-run-id: {run}")
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    fields = {"locations": [place], "filter": f"run_id = '{run}'"}
    return bool(others.must("POST", "/api/3.0/mlflow/traces/search", fields).get("traces")), status


@abuse
def tag_of_another_model(mine, others):
    theirs = logged(others, others.run())
    status, _ = mine.ask("PATCH", f"{API}/logged-models/{theirs}/tags", {"tags": [{"key": "mine", "value": "x"}]})
    found = others.must("GET", f"{API}/logged-models/{theirs}", {})["model"]["info"]
    return any(one["key"] == "mine" for one in found.get("tags", [])), status


if __name__ == "__main__":
    # It adds to the list.
    import promotions  # noqa: F401

    main(ABUSES, Server(sys.argv[1]), Server(sys.argv[-1]))
