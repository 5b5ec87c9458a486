"""Assertions around XML that nobody would write, canonicalised by lxml (libxml2) and signed here; the verifier must find the same bytes.

    canonical.py DIRECTORY RECIPIENT PRINCIPAL COUNT SEED

Each holds random elements, namespaces, attributes and text in the value of an attribute that no policy asks for. One in five is
changed by one letter after it was signed: those end in `.false.xml`.
"""

import base64
import datetime
import hashlib
import pathlib
import random
import subprocess
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

place, recipient, principal = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
count, dice = int(sys.argv[4]), random.Random(int(sys.argv[5]))
DS, EXC, SAML = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#", "urn:oasis:names:tc:SAML:2.0:assertion"

key, certificate = place / "key.pem", place / "certificate.pem"
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=idp"],
    check=True,
    stderr=subprocess.DEVNULL,
)
private = serialization.load_pem_private_key(key.read_bytes(), None)

PREFIXES = ["a", "b", "c", "xs", "A"]
# None with an ampersand: libxml2 writes it as it is, and the verifier refuses such names.
NAMESPACES = ["urn:one", "urn:two", "http://three.example/?x=1;y=2#z", "http://four.example/(q)", "urn:five"]
LETTERS = ["x", " ", "\n", "\t", "\r\n", "\r", "&amp;", "&lt;", "&gt;", ">", "&quot;", "'", "&apos;", "&#13;", "&#10;", "&#9;", "&#x41;", "ä", "漢", "😀", "]", "="]


def text(most=8):
    # These three letters together may stand in no text (XML 1.0, 2.4).
    return "".join(dice.choice(LETTERS) for _ in range(dice.randrange(most))).replace("]]>", "]]&gt;")


def value():
    return text().replace('"', "&quot;")


def element(depth, scope):
    scope = dict(scope)
    declared = []
    for prefix in dice.sample(PREFIXES, dice.randrange(3)):
        scope[prefix] = dice.choice(NAMESPACES)
        declared.append(f'xmlns:{prefix}="{scope[prefix]}"')
    if dice.random() < 0.25:
        scope[""] = dice.choice(NAMESPACES + [""])
        declared.append(f'xmlns="{scope[""]}"')
    known = [prefix for prefix in scope if prefix]
    prefix = dice.choice(known + ["", ""]) if known else ""
    name = (prefix + ":" if prefix else "") + dice.choice("pqrs")
    attributes, seen = [], set()
    for _ in range(dice.randrange(4)):
        prefix, local = dice.choice(known + ["", "xml"]), dice.choice("uvwlang")
        if prefix == "xml":
            local = "lang"
        pair = ({"": "", "xml": "xml"}.get(prefix) if prefix in ("", "xml") else scope[prefix], local)
        if pair not in seen:
            seen.add(pair)
            attributes.append(f'{prefix + ":" if prefix else ""}{local}="{value()}"')
    words = declared + attributes
    dice.shuffle(words)
    inner = ""
    if depth:
        inner = "".join(text(4) + element(depth - 1, scope) for _ in range(dice.randrange(3))) + text(4)
    open_tag = " ".join([name] + words)
    if not inner and dice.random() < 0.5:
        return f"<{open_tag}/>"
    return f"<{open_tag}>{inner}</{name}>"


def instant(minutes):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def assertion(own, outer):
    return (
        f'<saml:Assertion {outer} ID="_a" IssueInstant="{instant(0)}" Version="2.0"><saml:Issuer>https://idp.example/saml</saml:Issuer>'
        f'<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{principal}</saml:NameID>'
        f'<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
        f'NotOnOrAfter="{instant(10)}" Recipient="{recipient}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions>'
        f"<saml:AudienceRestriction><saml:Audience>longhorn</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
        f'<saml:AttributeStatement><saml:Attribute Name="groups"><saml:AttributeValue>ml-engineers</saml:AttributeValue></saml:Attribute>'
        f'<saml:Attribute Name="any"><saml:AttributeValue>{own}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>'
    )


for number in range(count):
    scope, outer = {"saml": SAML}, [f'xmlns:saml="{SAML}"']
    for prefix in dice.sample(PREFIXES, dice.randrange(3)):
        scope[prefix] = dice.choice(NAMESPACES)
        outer.append(f'xmlns:{prefix}="{scope[prefix]}"')
    scope.pop("saml")
    whole = assertion(element(3, scope), " ".join(outer))
    listed = dice.sample(PREFIXES + ["#default", "unknown"], dice.randrange(3))
    tree = etree.fromstring(whole.encode())
    canonical = etree.tostring(tree, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=[p for p in listed if p != "#default"] or None)
    if "#default" in listed:
        # lxml has no word for it.
        listed.remove("#default")
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{" ".join(listed)}"/>' if listed else ""
    info = (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXC}"/>'
        f'<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#_a"><ds:Transforms>'
        f'<ds:Transform Algorithm="{DS}enveloped-signature"/><ds:Transform Algorithm="{EXC}">{inclusive}</ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>'
        f"{base64.b64encode(hashlib.sha256(canonical).digest()).decode()}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
    signed = etree.tostring(etree.fromstring(info), method="c14n", exclusive=True, with_comments=False)
    signature = base64.b64encode(private.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()
    block = f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>{signature}</ds:SignatureValue></ds:Signature>'
    document = whole.replace("</saml:Issuer>", "</saml:Issuer>" + block, 1)
    kind = "true"
    if number % 5 == 4:
        kind, document = "false", document.replace("<saml:AttributeValue>ml-", "<saml:AttributeValue>mI-", 1)
    path = place / f"{number:04}.{kind}.xml"
    path.write_bytes(document.encode())
    print(path)
