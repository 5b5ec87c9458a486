"""More of abuses.py: tags that are Longhorn's own, and the names by which consumers load models."""

from things import API, abuse, model, seen, version

# --- tags that are Longhorn's own

CONTEXT = {"key": "longhorn.context", "value": "forged"}


@abuse
def context_at_the_start(mine, others):
    status, answer = mine.ask("POST", f"{API}/runs/create", {"experiment_id": "0", "tags": [CONTEXT]})
    return status == 200 and others.tags(answer["run"]["info"]["run_id"]).get("longhorn.context") == "forged", status


@abuse
def context_of_a_run(mine, others):
    run = mine.run()
    status, _ = mine.ask("POST", f"{API}/runs/set-tag", {"run_id": run, **CONTEXT})
    return others.tags(run).get("longhorn.context") == "forged", status


@abuse
def context_in_a_batch(mine, others):
    run = mine.run()
    status, _ = mine.ask("POST", f"{API}/runs/log-batch", {"run_id": run, "tags": [CONTEXT]})
    return others.tags(run).get("longhorn.context") == "forged", status


@abuse
def label_of_a_dataset(mine, others):
    run = mine.run()
    dataset = {"name": "labelled", "digest": "1", "source_type": "local", "source": "{}"}
    inputs = [{"dataset": dataset, "tags": [{"key": "longhorn.label", "value": "public"}]}]
    status, _ = mine.ask("POST", f"{API}/runs/log-inputs", {"run_id": run, "datasets": inputs})
    found = others.seen(run).get("inputs", {}).get("dataset_inputs", [])
    return any(tag["key"] == "longhorn.label" for one in found for tag in one.get("tags", [])), status


@abuse
def binding_of_a_version(mine, others):
    name = model(mine)
    made = version(mine, name)
    fields = {"name": name, "version": made, "key": "longhorn.mv_binding", "value": "forged"}
    status, _ = mine.ask("POST", f"{API}/model-versions/set-tag", fields)
    return any(tag["key"] == "longhorn.mv_binding" for tag in seen(others, name, made).get("tags", [])), status


@abuse
def model_that_becomes_a_prompt(mine, others):
    name = model(mine)
    fields = {"name": name, "key": "mlflow.prompt.is_prompt", "value": "true"}
    status, _ = mine.ask("POST", f"{API}/registered-models/set-tag", fields)
    found = others.must("GET", f"{API}/registered-models/get", {"name": name})["registered_model"]
    return any(tag["key"] == "mlflow.prompt.is_prompt" for tag in found.get("tags", [])), status


# --- promotion


def champion(others, name):
    """Whether a model has the alias that consumers load."""
    found = others.must("GET", f"{API}/registered-models/get", {"name": name})["registered_model"]
    return any(one["alias"] == "champion" for one in found.get("aliases", []))


@abuse
def alias_at_will(mine, others):
    name = model(mine)
    fields = {"name": name, "alias": "champion", "version": version(mine, name)}
    status, _ = mine.ask("POST", f"{API}/registered-models/alias", fields)
    return champion(others, name), status


@abuse
def alias_taken_away(mine, others):
    name = model(others)
    others.must("POST", f"{API}/registered-models/alias", {"name": name, "alias": "champion", "version": version(others, name)})
    status, _ = mine.ask("DELETE", f"{API}/registered-models/alias", {"name": name, "alias": "champion"})
    return not champion(others, name), status


@abuse
def stage_at_will(mine, others):
    name = model(mine)
    made = version(mine, name)
    fields = {"name": name, "version": made, "stage": "Production", "archive_existing_versions": False}
    status, _ = mine.ask("POST", f"{API}/model-versions/transition-stage", fields)
    return seen(others, name, made)["current_stage"] == "Production", status


@abuse
def another_models_name(mine, others):
    """A model with an alias of its own takes the name that consumers load."""
    theirs = model(others)
    others.must("DELETE", f"{API}/registered-models/delete", {"name": theirs})
    own = model(mine)
    made = version(mine, own)
    others.must("POST", f"{API}/registered-models/alias", {"name": own, "alias": "champion", "version": made})
    status, _ = mine.ask("POST", f"{API}/registered-models/rename", {"name": own, "new_name": theirs})
    # Where the name was not taken, there is no such model.
    return others.ask("GET", f"{API}/registered-models/get", {"name": theirs})[0] == 200 and champion(others, theirs), status


@abuse
def newest_version(mine, others):
    """`models:/NAME/latest` is whatever was registered last: no alias, no gate."""
    name = model(others)
    version(others, name)
    run = mine.run()
    fields = {"name": name, "source": f"mlflow-artifacts:/0/{run}/artifacts/m", "run_id": run}
    status, _ = mine.ask("POST", f"{API}/model-versions/create", fields)
    found = others.must("GET", f"{API}/registered-models/get", {"name": name})["registered_model"]["latest_versions"]
    return any(one.get("run_id") == run for one in found), status
