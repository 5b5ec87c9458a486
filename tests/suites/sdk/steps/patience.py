"""Throttled and unavailable: the SDK waits as long as it is told, then is served; and does not wait for ever."""

import json
import time
from datetime import timedelta

from databricks.sdk import errors

from steps.expect import same
from steps.place import CLUSTER, CLUSTERS_GET, client, fault, mend

BODY = {429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE"}
TYPES = {429: errors.RequestLimitExceeded, 503: errors.TemporarilyUnavailable}


def turn_away(path, status, times, retry_after):
    body = json.dumps({"error_code": BODY[status], "message": "come back later"})
    fault(path=path, status=status, times=times, retry_after=retry_after, body=body)


def waited(least, ask):
    """At least so many seconds, and not for ever on a busy machine either."""
    begin = time.monotonic()
    answer = ask()
    took = time.monotonic() - begin
    assert least <= took < least + 20, f"{took:.2f} s, expected {least} s and little more"
    return answer


def throttled(workspace):
    # Without the header it waits for less than two seconds: one, and a random part of another.
    for status in (429, 503):
        turn_away(CLUSTERS_GET, status, 1, "2")
        found = waited(2, lambda: workspace.clusters.get(CLUSTER))
        same("served", found.cluster_id, CLUSTER)
    turn_away(CLUSTERS_GET, 429, 2, "1")
    found = waited(2, lambda: workspace.clusters.get(CLUSTER))
    same("served the third time", found.cluster_id, CLUSTER)
    # Whoever is turned away was not served: what is asked for again is done once.
    turn_away("/api/2.0/policies/clusters/create", 429, 1, "1")
    made = waited(1, lambda: workspace.cluster_policies.create(name="once", definition="{}"))
    same("made once", [one.policy_id for one in workspace.cluster_policies.list()], [made.policy_id])
    workspace.cluster_policies.delete(made.policy_id)


def given_up(_):
    workspace = client(patience=1)
    for status in (429, 503):
        turn_away(CLUSTERS_GET, status, 0, "1")
        try:
            answer = waited(1, lambda: until_given_up(workspace))
        finally:
            mend()
        same("gave up", (type(answer), str(answer)), (TimeoutError, f"Timed out after {timedelta(seconds=1)}"))
        cause = answer.__cause__
        same("because of", (type(cause), cause.error_code, cause.retry_after_secs), (TYPES[status], BODY[status], 1))
    same("served again", workspace.clusters.get(CLUSTER).cluster_id, CLUSTER)


def until_given_up(workspace):
    try:
        answer = workspace.clusters.get(CLUSTER)
    except TimeoutError as error:
        return error
    raise AssertionError(f"served: {answer!r}")
