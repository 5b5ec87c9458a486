"""probe.py URL VERSION RENDERED [another TOKEN-ID]: the official SDK uses the simulated workspace, logged in machine to machine.

Every answer must parse into the SDK's own types and hold what the scenario of tests/sdk.rs holds. RENDERED has what `longhorn
policy render` printed. What this SDK has no call for is printed as `lacks`."""

import sys

from steps.clusters import cluster, late, listed
from steps.files import file
from steps.jobs import job, run
from steps.login import federated, login, stranger
from steps.metastore import metastore
from steps.patience import given_up, throttled
from steps.people import principals
from steps.place import client
from steps.policies import policies
from steps.secrets import secrets
from steps.tokens import another, tokens

ALL = [login, cluster, listed, late, job, run, principals, file, policies, secrets, tokens, metastore, throttled, given_up, stranger, federated]

if sys.argv[4:]:
    another(None)
    print("ok another", flush=True)
else:
    workspace = client()
    for step in ALL:
        step(workspace)
        print("ok", step.__name__, flush=True)
