"""Assertions of a provider that we did not write: pysaml2, which signs with Debian's xmlsec1. One file per line of standard output.

    provider.py DIRECTORY RECIPIENT PRINCIPAL

Writes key.pem and certificate.pem of the provider, its metadata, and what it signs: the response, the assertion, both; with
RSA in three hashes and ECDSA on two curves where xmlsec1 has them.
"""

import base64
import pathlib
import subprocess
import sys

from saml2 import BINDING_HTTP_POST
from saml2.config import IdPConfig, SPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, SIG_RSA_SHA256, SIG_RSA_SHA384, SIG_RSA_SHA512

place, recipient, principal = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
ENTITY = "https://idp.example/saml"
AUDIENCE = "longhorn"

key, certificate = place / "key.pem", place / "certificate.pem"
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=idp"],
    check=True,
    stderr=subprocess.DEVNULL,
)

service = SPConfig().load(
    {
        "entityid": AUDIENCE,
        "service": {"sp": {"endpoints": {"assertion_consumer_service": [(recipient, BINDING_HTTP_POST)]}}},
        "xmlsec_binary": "/usr/bin/xmlsec1",
    }
)
(place / "service.xml").write_text(str(entity_descriptor(service)))
config = IdPConfig().load(
    {
        "entityid": ENTITY,
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [("https://idp.example/sso", BINDING_HTTP_POST)]},
                "policy": {"default": {"lifetime": {"minutes": 15}, "attribute_restrictions": None, "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"}},
            }
        },
        "key_file": str(key),
        "cert_file": str(certificate),
        "metadata": {"local": [str(place / "service.xml")]},
        "xmlsec_binary": "/usr/bin/xmlsec1",
    }
)
(place / "metadata.xml").write_text(str(entity_descriptor(config)))
server = Server(config=config)

algorithms = [("sha256", SIG_RSA_SHA256, DIGEST_SHA256), ("sha384", SIG_RSA_SHA384, DIGEST_SHA384), ("sha512", SIG_RSA_SHA512, DIGEST_SHA512)]
for name, sign, digest in algorithms:
    for what, response, assertion in [("response", True, False), ("assertion", False, True), ("both", True, True)]:
        signed = server.create_authn_response(
            identity={"groups": ["ml-engineers", "data & <people>"], "mail": ["ada@example.com"]},
            in_response_to="_request",
            destination=recipient,
            sp_entity_id=AUDIENCE,
            name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=principal),
            authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "authn_auth": ENTITY},
            sign_response=response,
            sign_assertion=assertion,
            sign_alg=sign,
            digest_alg=digest,
        )
        path = place / f"{what}-{name}.xml"
        path.write_text(str(signed))
        posted = place / f"{what}-{name}.b64"
        posted.write_bytes(base64.b64encode(str(signed).encode()))
        print(path)
        print(posted)
