"""differentials.py URL: tricks of spelling, by which a check that looks at one thing lets another through. One line each, `name
honoured|refused status`: honoured is what had the effect of the plain request, whatever the status says.

What MLflow's server honours must be refused by what stands before it. `plain` is no trick: where it is refused, the others say
nothing. Harmless where requests are written anew from what was checked: `run_uuid`, `unknown_field`, `another_charset`,
`query_by_percent`, `twin`."""

import gzip
import json
import sys
import uuid

from wire import JSON, Server, main

GET = "/api/2.0/mlflow/runs/get"
TAG = "/api/2.0/mlflow/runs/set-tag"
UPDATE = "/api/2.0/mlflow/runs/update"


TRICKS = []


def trick(function):
    TRICKS.append(function)
    return function


def tagged(server, run, send):
    """Whether what is sent tags the run. `send` gets fresh fields and returns the answer."""
    key = f"trick-{uuid.uuid4().hex}"
    status, _ = send({"key": key, "value": "x"})
    return key in server.tags(run), status


def tag_of(run, tag, **more):
    """The body of a request that tags a run."""
    return json.dumps({"run_id": run, **more, **tag}).encode()


def shown(run, answer):
    """Whether an answer shows the run."""
    status, text = answer
    return status == 200 and f'"run_id": "{run}"' in text, status


@trick
def plain(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag)))


@trick
def duplicate_key(server, mine, other):
    """The last of two equal keys counts."""

    def send(tag):
        text = json.dumps({"run_id": other, **tag})
        return server.send("POST", TAG, f'{{"run_id": "{mine}", {text[1:]}'.encode())

    return tagged(server, other, send)


@trick
def json_in_a_string(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, json.dumps(tag_of(mine, tag).decode()).encode()))


@trick
def utf_16(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag).decode().encode("utf-16")))


@trick
def utf_32(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag).decode().encode("utf-32")))


@trick
def byte_order_mark(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag).decode().encode("utf-8-sig")))


@trick
def camel_case(server, mine, other):
    name = uuid.uuid4().hex
    status, _ = server.send("POST", UPDATE, json.dumps({"run_id": mine, "runName": name}).encode())
    return server.seen(mine)["info"].get("run_name") == name, status


@trick
def camel_case_beside(server, mine, other):
    """Both spellings of one field."""
    name = uuid.uuid4().hex
    status, _ = server.send("POST", UPDATE, json.dumps({"run_id": mine, "run_name": "plain", "runName": name}).encode())
    return server.seen(mine)["info"].get("run_name") == name, status


@trick
def run_uuid(server, mine, other):
    """The old name of run_id alone."""
    return tagged(server, mine, lambda tag: server.send("POST", TAG, json.dumps({"run_uuid": mine, **tag}).encode()))


@trick
def run_uuid_beside(server, mine, other):
    """Two runs under two names: whoever checks one of them has checked the wrong one."""
    return tagged(server, other, lambda tag: server.send("POST", TAG, tag_of(other, tag, run_uuid=mine)))


@trick
def null_beside_run_uuid(server, mine, other):
    return tagged(server, other, lambda tag: server.send("POST", TAG, tag_of(None, tag, run_uuid=other)))


@trick
def empty_beside_run_uuid(server, mine, other):
    return tagged(server, other, lambda tag: server.send("POST", TAG, tag_of("", tag, run_uuid=other)))


@trick
def enumeration_by_number(server, mine, other):
    """A status that is no word."""
    run = server.run()
    status, _ = server.send("POST", UPDATE, json.dumps({"run_id": run, "status": 3}).encode())
    return server.seen(run)["info"]["status"] == "FINISHED", status


@trick
def enumeration_by_digits(server, mine, other):
    run = server.run()
    status, _ = server.send("POST", UPDATE, json.dumps({"run_id": run, "status": "3"}).encode())
    return server.seen(run)["info"]["status"] == "FINISHED", status


@trick
def number_that_is_none(server, mine, other):
    """NaN is no JSON."""
    body = f'{{"run_id": "{mine}", "key": "trick", "value": NaN, "timestamp": 1, "step": 0}}'
    status, _ = server.send("POST", "/api/2.0/mlflow/runs/log-metric", body.encode())
    return any(metric["key"] == "trick" for metric in server.seen(mine)["data"].get("metrics", [])), status


@trick
def unknown_field(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag, longhorn="x")))


@trick
def words_after_the_end(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag) + b"{}"))


@trick
def plain_text(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag), kind="text/plain"))


@trick
def no_type(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag), kind=None))


@trick
def another_charset(server, mine, other):
    kind = f"{JSON}; charset=utf-7"
    return tagged(server, mine, lambda tag: server.send("POST", TAG, tag_of(mine, tag), kind=kind))


@trick
def form(server, mine, other):
    kind = "application/x-www-form-urlencoded"
    send = lambda tag: server.send("POST", TAG, f"run_id={mine}&key={tag['key']}&value=x".encode(), kind=kind)
    return tagged(server, mine, send)


@trick
def query_of_a_post(server, mine, other):
    return tagged(server, mine, lambda tag: server.send("POST", f"{TAG}?run_id={mine}&key={tag['key']}&value=x"))


@trick
def compressed(server, mine, other):
    send = lambda tag: server.send("POST", TAG, gzip.compress(tag_of(mine, tag)), "Content-Encoding: gzip")
    return tagged(server, mine, send)


@trick
def two_lengths(server, mine, other):
    """A length and chunks: where one reader's request ends another's begins."""

    def send(tag):
        body = tag_of(mine, tag)
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return server.send("POST", TAG, chunks, "Transfer-Encoding: chunked", f"Content-Length: {len(body)}", lengths=False)

    return tagged(server, mine, send)


@trick
def method_in_a_header(server, mine, other):
    return shown(mine, server.send("POST", f"{GET}?run_id={mine}", b"", "X-HTTP-Method-Override: GET"))


@trick
def head(server, mine, other):
    status, _ = server.send("HEAD", f"{GET}?run_id={mine}")
    return status == 200, status


@trick
def body_of_a_get(server, mine, other):
    return shown(mine, server.send("GET", GET, json.dumps({"run_id": mine}).encode()))


@trick
def repeated_query(server, mine, other):
    """The first of two equal keys counts, not the last as in a body."""
    return shown(mine, server.send("GET", f"{GET}?run_id={mine}&run_id={other}"))


@trick
def query_by_percent(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}?run%5Fid={mine}"))


@trick
def twin(server, mine, other):
    """No trick where both spellings are one row; a hole where only one is."""
    path = TAG.replace("/api/", "/ajax-api/")
    return tagged(server, mine, lambda tag: server.send("POST", path, tag_of(mine, tag)))


@trick
def two_slashes(server, mine, other):
    return shown(mine, server.send("GET", f"/{GET}?run_id={mine}"))


@trick
def two_slashes_within(server, mine, other):
    return shown(mine, server.send("GET", f"/api/2.0/mlflow//runs/get?run_id={mine}"))


@trick
def slash_at_the_end(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}/?run_id={mine}"))


@trick
def letter_by_percent(server, mine, other):
    return shown(mine, server.send("GET", f"/api/2.0/mlflow/runs/%67et?run_id={mine}"))


@trick
def letter_by_percent_twice(server, mine, other):
    return shown(mine, server.send("GET", f"/api/2.0/mlflow/runs/%2567et?run_id={mine}"))


@trick
def slash_by_percent(server, mine, other):
    return shown(mine, server.send("GET", f"/api/2.0/mlflow/runs%2Fget?run_id={mine}"))


@trick
def question_by_percent(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}%3Frun_id={mine}"))


@trick
def dots(server, mine, other):
    return shown(mine, server.send("GET", f"/api/2.0/mlflow/experiments/../runs/get?run_id={mine}"))


@trick
def dots_by_percent(server, mine, other):
    return shown(mine, server.send("GET", f"/api/2.0/mlflow/experiments/%2e%2e/runs/get?run_id={mine}"))


@trick
def semicolon(server, mine, other):
    return shown(mine, server.send("GET", f"{GET};x?run_id={mine}"))


@trick
def capitals(server, mine, other):
    return shown(mine, server.send("GET", f"/API/2.0/mlflow/runs/get?run_id={mine}"))


@trick
def whole_address(server, mine, other):
    return shown(mine, server.send("GET", f"http://{server.host}{GET}?run_id={mine}"))


@trick
def whole_address_of_another(server, mine, other):
    return shown(mine, server.send("GET", f"http://evil.example{GET}?run_id={mine}"))


@trick
def method_in_small_letters(server, mine, other):
    return shown(mine, server.send("get", f"{GET}?run_id={mine}"))


@trick
def host_of_another(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}?run_id={mine}", host="evil.example"))


@trick
def host_like_a_private_address(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}?run_id={mine}", host="10.evil.example"))


@trick
def host_like_a_private_address_192(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}?run_id={mine}", host="192.168.evil.example"))


@trick
def host_like_a_private_address_172(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}?run_id={mine}", host="172.16.evil.example"))


@trick
def host_like_a_port(server, mine, other):
    return shown(mine, server.send("GET", f"{GET}?run_id={mine}", host="localhost:1.evil.example"))


@trick
def origin(server, mine, other):
    """A page of another site in a browser."""
    send = lambda tag: server.send("POST", TAG, tag_of(mine, tag), "Origin: http://evil.example")
    return tagged(server, mine, send)


@trick
def origin_like_this_machine(server, mine, other):
    send = lambda tag: server.send("POST", TAG, tag_of(mine, tag), "Origin: http://localhost:1")
    return tagged(server, mine, send)


@trick
def body_against_the_path(server, mine, other):
    """The path names one model, the body another: the body counts."""
    make = lambda: server.must("POST", "/api/2.0/mlflow/logged-models", {"experiment_id": "0"})["model"]["info"]["model_id"]
    path, body = make(), make()
    fields = {"model_id": body, "status": "LOGGED_MODEL_READY"}
    status, _ = server.ask("PATCH", f"/api/2.0/mlflow/logged-models/{path}", fields)
    found = server.must("GET", f"/api/2.0/mlflow/logged-models/{body}", {})
    return found["model"]["info"]["status"] == "LOGGED_MODEL_READY", status


if __name__ == "__main__":
    base = Server(sys.argv[1])
    main(TRICKS, base, base.run(), base.run())
