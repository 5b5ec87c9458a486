"""client.py VERSION SERVER TOKENS SCRATCH: MLflow's own client, with the plugin on its path, against a real server behind a recorder."""

import os
import sys

import tokens
from recorder import Recorder

VERSION, SERVER, TOKENS, SCRATCH = sys.argv[1:]
FILE = os.path.join(SCRATCH, "context.jwt")

import mlflow
from mlflow import MlflowClient

honest, certified = (tokens.read(TOKENS, name) for name in ("context.jwt", "certified.jwt"))
recorder = Recorder(SERVER)
ours = tokens.plugin(FILE)


def said(run):
    """Our tags of a run, as the server has them: asked for past the recorder."""
    found = MlflowClient(tracking_uri=SERVER).get_run(run.info.run_id).data.tags
    return {name: value for name, value in found.items() if name.startswith("longhorn")}


def run(**options):
    with mlflow.start_run(**options) as started:
        return started


def tagged():
    assert mlflow.__version__ == VERSION, mlflow.__version__
    tokens.publish(FILE, honest)
    assert said(run()) == tokens.tags(honest), said(run())


def header():
    tokens.publish(FILE, honest)
    before = len(recorder.seen)
    with mlflow.start_run():
        mlflow.log_metric("loss", 0.5)
        mlflow.log_params({"depth": 3})
        mlflow.set_tag("of", "the user")
        mlflow.log_text("hello", "notes/hello.txt")
    name = "plugin-%s-%d" % (VERSION, os.getpid())
    client = MlflowClient()
    client.create_registered_model(name)
    client.set_registered_model_tag(name, "of", "the user")
    assert [found.name for found in client.search_registered_models("name = '%s'" % name)] == [name]
    assert client.search_runs(["0"])
    recorder.all_carry(before, honest.decode())
    paths = [path for _, path, _ in recorder.since(before)]
    for wanted in ("runs/create", "runs/log-metric", "mlflow-artifacts/artifacts", "registered-models/create", "runs/update"):
        assert any(wanted in path for path in paths), (wanted, paths)


def renewed():
    tokens.publish(FILE, honest)
    run()
    tokens.publish(FILE, certified)
    before = len(recorder.seen)
    assert said(run()) == tokens.tags(certified)
    recorder.all_carry(before, certified.decode())


def withdrawn():
    tokens.publish(FILE, honest)
    run()
    os.remove(FILE)
    before = len(recorder.seen)
    assert said(run()) == {}
    recorder.all_carry(before, None)


def large():
    token = tokens.rewritten(honest, lambda claims: claims.update(roles=["r" * 100] * 40))
    assert 4096 < len(token) < 65536, len(token)
    tokens.publish(FILE, token)
    before = len(recorder.seen)
    wanted = tokens.tags(token)
    assert "longhorn.context" not in wanted and said(run()) == wanted
    recorder.all_carry(before, "sha256:" + wanted["longhorn.context_digest"])
    # The longest that is carried whole.
    def pad(count):
        return tokens.rewritten(honest, lambda claims: claims.update(jti="j" * count))

    token = pad(next(count for count in range(4096) if len(pad(count + 1)) > 4096))
    assert 4092 < len(token) <= 4096, len(token)
    tokens.publish(FILE, token)
    assert said(run()) == tokens.tags(token)


def limits():
    """What no plugin can hold: who runs code may write any tag, and a client need not ask for tags at all. The gateway owns them."""
    tokens.publish(FILE, honest)
    forged = {"longhorn.subject": "FAKE", "longhorn.more": "FAKE"}
    assert said(run(tags=forged)) == tokens.tags(honest, **forged)
    with mlflow.start_run() as started:
        mlflow.set_tag("longhorn.scope", "FAKE")
    assert said(started)["longhorn.scope"] == "FAKE"
    before = len(recorder.seen)
    assert said(MlflowClient().create_run("0")) == {}
    recorder.all_carry(before, honest.decode())


def variables():
    """Nothing in the environment says anything about the context."""
    tokens.publish(FILE, honest)
    for name in ("LONGHORN_SUBJECT", "LONGHORN_SCOPE", "LONGHORN_TOKEN_FILE", "LONGHORN_CONTEXT_FILE"):
        os.environ[name] = FILE + ".forged"
    tokens.publish(FILE + ".forged", tokens.rewritten(honest, lambda claims: claims.update(scope="FAKE")))
    assert said(run()) == tokens.tags(honest)


def twice():
    """Two directories with the plugin on one path: where they are not told apart, the header's value must not come twice."""
    from mlflow.tracking.context.registry import _run_context_provider_registry as contexts
    from mlflow.tracking.request_header.registry import _request_header_provider_registry as headers

    tokens.publish(FILE, honest)
    contexts.register(ours.RunContext)
    headers.register(ours.RequestHeaders)
    before = len(recorder.seen)
    assert said(run()) == tokens.tags(honest)
    recorder.all_carry(before, honest.decode())


def databricks():
    """The other transport, the platform's own SDK. These versions hand it no header of any provider, so none of ours; tags come
    with each of them. 2.13.1 does not use the SDK here."""
    wanted = [] if VERSION in ("2.22.0", "3.0.1") else [honest.decode()]
    tokens.publish(FILE, honest)
    os.environ.update(DATABRICKS_HOST=recorder.uri, DATABRICKS_TOKEN="none")
    mlflow.set_tracking_uri("databricks")
    try:
        before = len(recorder.seen)
        assert said(run(experiment_id="0")) == tokens.tags(honest)
        # What the SDK asks for itself.
        rows = [row for row in recorder.since(before) if not row[1].startswith("/.well-known/")]
        assert len(rows) >= 2 and all(values == wanted for _, _, values in rows), rows
    finally:
        mlflow.set_tracking_uri(recorder.uri)


mlflow.set_tracking_uri(recorder.uri)
for step in (tagged, header, renewed, withdrawn, large, limits, variables, twice, databricks):
    step()
    print("ok", step.__name__, flush=True)
