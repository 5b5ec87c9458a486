"""The clouds' own clients against the simulated metadata services and STS: cloud.py STS AUDIENCE.

Each step that is as the client expects it prints `ok STEP`; anything else ends with an error.
"""

import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import botocore.session
import google.auth.compute_engine
import google.auth.transport.requests
import google.oauth2.id_token
import msal
import requests

STS, AUDIENCE = sys.argv[1:]
USER_ASSIGNED = "a5ff4cbb-0a50-4c9b-a04e-5a4a4a0e2d11"


def ok(step, held):
    if not held:
        sys.exit(f"{step}: not as expected")
    print(f"ok {step}")


def claims(token):
    from google.auth import jwt

    return jwt.decode(token, verify=False)


def azure(identity):
    http = requests.Session()
    http.trust_env = False
    return msal.ManagedIdentityClient(identity, http_client=http).acquire_token_for_client(resource="api://longhorn")


got = azure(msal.SystemAssignedManagedIdentity())
ok("azure", claims(got["access_token"])["aud"] == AUDIENCE and got["expires_in"] == 86399)
got = azure(msal.UserAssignedManagedIdentity(client_id=USER_ASSIGNED))
ok("azure-user-assigned", "access_token" in got)
got = azure(msal.UserAssignedManagedIdentity(client_id="00000000-0000-0000-0000-000000000001"))
ok("azure-not-found", got["error"] == "invalid_request" and "Identity not found" in got["error_description"])

request = google.auth.transport.requests.Request()
google_token = google.auth.compute_engine.IDTokenCredentials(
    request, target_audience=AUDIENCE, use_metadata_identity_endpoint=True
)
google_token.refresh(request)
ok("gcp", claims(google_token.token)["aud"] == AUDIENCE)

session = botocore.session.get_session()
sts = session.create_client("sts", region_name="us-west-2", endpoint_url=STS)
got = sts.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="RS256", DurationSeconds=600)
said = claims(got["WebIdentityToken"])
ok("aws", said["aud"] == AUDIENCE and said["exp"] - said["iat"] == 600 and said["sub"].startswith("arn:aws:iam::"))
tags = [{"Key": "longhorn-node-key", "Value": "thumbprint"}]
got = sts.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="RS256", Tags=tags)
said = claims(got["WebIdentityToken"])["https://sts.amazonaws.com/"]
ok("aws-tags", said["request_tags"] == {"longhorn-node-key": "thumbprint"})
held = session.get_credentials().get_frozen_credentials()
other = session.create_client(
    "sts", "us-west-2", endpoint_url=STS, aws_access_key_id=held.access_key, aws_secret_access_key="another", aws_session_token=held.token
)
try:
    other.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm="RS256")
    sys.exit("aws-another-key: accepted")
except botocore.exceptions.ClientError as error:
    ok("aws-another-key", error.response["Error"]["Code"] == "SignatureDoesNotMatch")

# The published examples that agent/src/evidence/sigv4.rs is held to, by AWS's own client.
EXAMPLES = [
    ({}, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    (
        {"Content-Type": "application/x-www-form-urlencoded"},
        "Param1=value1",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    (
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf8"},
        "Param1=value1",
        "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
    ),
]
for headers, body, signature in EXAMPLES:
    example = botocore.awsrequest.AWSRequest("POST", "https://example.amazonaws.com/", headers=headers, data=body)
    example.context["timestamp"] = example.headers["X-Amz-Date"] = "20150830T123600Z"
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signer = botocore.auth.SigV4Auth(credentials, "service", "us-east-1")
    if signer.signature(signer.string_to_sign(example, signer.canonical_request(example)), example) != signature:
        sys.exit("sigv4: another signature")
ok("sigv4", True)
