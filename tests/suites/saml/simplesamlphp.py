"""Assertions of a provider that we did not write: SimpleSAMLphp as Debian ships it, asked over HTTP as a browser would ask it.

    simplesamlphp.py DIRECTORY RECIPIENT PRINCIPAL

The provider changes its key in three steps: `one` signs with the first key; `both` still does, and announces the second one in
its metadata; `two` signs with the second. For each step it writes STEP.xml, what the provider publishes of itself, and STEP.b64,
what it posts as SAMLResponse. One file per line of standard output, in that order.
"""

import html.parser
import http.cookiejar
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

place, recipient, principal = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
ENTITY = "https://idp.example/saml"
AUDIENCE = "longhorn"
WWW = "/usr/share/simplesamlphp/www"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"

for directory in ["metadata", "log", "data", "tmp", "sessions"]:
    (place / directory).mkdir()
for key in ["first", "second"]:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={key}"]
        + ["-keyout", place / f"{key}.key", "-out", place / f"{key}.crt"],
        check=True,
        stderr=subprocess.DEVNULL,
    )

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
url = f"http://127.0.0.1:{port}/"


def php(name, variable, value):
    """A file of PHP that sets a variable to what JSON can say."""
    text = json.dumps(value).replace("\\", "\\\\").replace("'", "\\'")
    (place / name).write_text(f"<?php\n${variable} = json_decode('{text}', true);\n")


php(
    "config.php",
    "config",
    {
        "baseurlpath": url,
        "certdir": f"{place}/",
        "loggingdir": f"{place}/log/",
        "datadir": f"{place}/data/",
        "tempdir": f"{place}/tmp",
        "metadatadir": f"{place}/metadata",
        "metadata.sources": [{"type": "flatfile", "directory": f"{place}/metadata"}],
        "secretsalt": "throwaway",
        "auth.adminpassword": "throwaway",
        "admin.protectmetadata": False,
        "logging.handler": "file",
        "timezone": "UTC",
        "enable.saml20-idp": True,
        "module.enable": {"core": True, "saml": True, "exampleauth": True},
        "session.cookie.secure": False,
        "store.type": "phpsession",
        "language.default": "en",
    },
)
people = {"ada:throwaway": {"uid": [principal], "groups": ["ml-engineers", "data & <people>"]}}
php("authsources.php", "config", {"people": {"0": "exampleauth:UserPass", **people}})
php("metadata/saml20-sp-remote.php", "metadata", {AUDIENCE: {"AssertionConsumerService": recipient, "NameIDFormat": PERSISTENT}})


class Form(html.parser.HTMLParser):
    """The hidden fields of a page, and where its form goes."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.action = {}, ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes.get("action", "")
        if tag == "input" and attributes.get("type") == "hidden" and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value", "")


def browse():
    """A browser that has never been here."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )

    def load(at, form=None):
        data = urllib.parse.urlencode(form).encode() if form else None
        with opener.open(at, data, timeout=20) as answer:
            return answer.geturl(), answer.read().decode()

    return load


def step(name, keys):
    hosted = {
        "host": "__DEFAULT__",
        "auth": "people",
        "signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "saml20.sign.response": True,
        "saml20.sign.assertion": True,
        "NameIDFormat": PERSISTENT,
        "authproc": {"10": {"class": "saml:AttributeNameID", "attribute": "uid", "identifyingAttribute": "uid", "Format": PERSISTENT}},
        **keys,
    }
    php("metadata/saml20-idp-hosted.php", "metadata", {ENTITY: hosted})
    options = ["-d", f"session.save_path={place}/sessions", "-d", "error_reporting=0", "-d", "display_errors=0"]
    with open(place / "php.log", "ab") as log:
        server = subprocess.Popen(
            ["php", *options, "-S", f"127.0.0.1:{port}", "-t", WWW],
            cwd=WWW,
            env={**os.environ, "SIMPLESAMLPHP_CONFIG_DIR": str(place)},
            stdout=log,
            stderr=log,
        )
    try:
        load = browse()
        for _ in range(100):
            try:
                _, metadata = load(url + "saml2/idp/metadata.php")
                break
            except urllib.error.URLError as error:
                if isinstance(error, urllib.error.HTTPError) or server.poll() is not None:
                    raise
                time.sleep(0.1)
        else:
            raise SystemExit("the provider does not answer")
        (place / f"{name}.xml").write_text(metadata)
        at, page = load(url + "saml2/idp/SSOService.php?spentityid=" + AUDIENCE)
        form = Form(page)
        signed_in = {**form.fields, "username": "ada", "password": "throwaway"}
        _, page = load(urllib.parse.urljoin(at, form.action), signed_in)
        form = Form(page)
        if form.action != recipient:
            raise SystemExit(f"the provider posts to {form.action!r}: {page}")
        (place / f"{name}.b64").write_text(form.fields["SAMLResponse"])
    finally:
        server.terminate()
        server.wait()
    print(place / f"{name}.xml")
    print(place / f"{name}.b64")


first, second = ({"privatekey": f"{key}.key", "certificate": f"{key}.crt"} for key in ["first", "second"])
step("one", first)
step("both", {**first, **{f"new_{key}": value for key, value in second.items()}})
step("two", second)
