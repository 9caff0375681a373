"""A partner as the guide describes one, who knows nothing of this server: discovery, registration, token, FHIR, change,
revocation, cancellation. HL7 FHIR UDAP Security 2.0, to the letter; JWTs by joserfc, certificates by cryptography.

Environment: HANDRAIL. Each check prints a line; the first that fails ends the program with its reason.
"""

import base64
import itertools
import json
import time
import urllib.parse
import urllib.request
import uuid
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

import pki
import world
from lists import Lists
from partners import Community, fresh_uri

ALGORITHMS = ["RS256", "ES256"]


class WithCertificates(JWSRegistry):
    """joserfc's own bound on a header has no room for x5c."""

    max_header_length = 32 * 1024


REGISTRY = WithCertificates(algorithms=ALGORITHMS)


def jwk(key):
    """A key as joserfc has it."""
    kind = RSAKey if isinstance(key, (pki.rsa.RSAPrivateKey, pki.rsa.RSAPublicKey)) else ECKey
    return kind.import_key(
        pki.key_pem(key)
        if hasattr(key, "private_bytes")
        else key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def encode(claims, held):
    header = {"alg": "RS256" if isinstance(held.key, pki.rsa.RSAPrivateKey) else "ES256", "x5c": world.x5c(held.chain)}
    return jwt.encode(header, claims, jwk(held.key), registry=REGISTRY, default_type=None)


def extension(certificate, oid):
    try:
        return certificate.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return None


def not_revoked(certificate, issuer):
    """By the list that the certificate names."""
    points = extension(certificate, ExtensionOID.CRL_DISTRIBUTION_POINTS)
    url = points[0].full_name[0].value
    with urllib.request.urlopen(url, timeout=5) as answer:
        crl = x509.load_der_x509_crl(answer.read())
    assert crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())
    assert crl.last_update_utc <= pki.now() < crl.next_update_utc
    assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is None


def vouched(chain, anchor, uri):
    """RFC 5280 section 6, as far as this community goes: the chain leads to the anchor, and the leaf has this URI."""
    path = (
        chain
        if chain[-1].fingerprint(pki.hashes.SHA256()) == anchor.fingerprint(pki.hashes.SHA256())
        else [*chain, anchor]
    )
    assert len(path) > 1
    for number, (certificate, issuer) in enumerate(itertools.pairwise(path)):
        certificate.verify_directly_issued_by(issuer)
        basic = extension(issuer, ExtensionOID.BASIC_CONSTRAINTS)
        assert basic.ca and (basic.path_length is None or basic.path_length >= number)
        assert extension(issuer, ExtensionOID.KEY_USAGE).key_cert_sign
        not_revoked(certificate, issuer)
    for certificate in path:
        assert certificate.not_valid_before_utc <= pki.now() <= certificate.not_valid_after_utc
    assert extension(path[0], ExtensionOID.KEY_USAGE).digital_signature
    names = extension(path[0], ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    assert uri in names.get_values_for_type(x509.UniformResourceIdentifier), "the base is not among the URIs"


def discovered(server, community, plain_query=""):
    """The server's metadata, believed. SPEC: sections 2.1 to 2.3."""
    answer = server.send("GET", f"{server.fhir}/.well-known/udap{plain_query}")
    assert answer.status == 200 and answer.headers["content-type"].startswith("application/json"), answer
    document = answer.json
    assert document["udap_versions_supported"] == ["1"]
    assert {"udap_dcr", "udap_authn"} <= set(document["udap_profiles_supported"])
    assert ("udap_authz" in document["udap_profiles_supported"]) == (
        "client_credentials" in document["grant_types_supported"]
    )
    assert "hl7-b2b" in document["udap_authorization_extensions_supported"]
    required = document["udap_authorization_extensions_required"]
    assert set(required) <= set(document["udap_authorization_extensions_supported"])
    assert isinstance(document["udap_certifications_supported"], list)
    if document["udap_certifications_supported"]:
        assert set(document["udap_certifications_required"]) <= set(document["udap_certifications_supported"])
    grants = document["grant_types_supported"]
    assert "refresh_token" not in grants or "authorization_code" in grants
    assert ("authorization_endpoint" in document) == ("authorization_code" in grants)
    assert document["scopes_supported"] and all(isinstance(scope, str) for scope in document["scopes_supported"])
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert "RS256" in document["token_endpoint_auth_signing_alg_values_supported"]
    assert "RS256" in document["registration_endpoint_jwt_signing_alg_values_supported"]
    signed = document["signed_metadata"]
    header = jws.extract_compact(signed.encode(), registry=REGISTRY).headers()
    assert header["alg"] == "RS256"
    chain = [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in header["x5c"]]
    claims = jwt.decode(signed, jwk(chain[0].public_key()), registry=REGISTRY).claims
    assert claims["iss"] == claims["sub"] == server.fhir, claims
    assert claims["iat"] <= time.time() + 1 < claims["exp"] <= claims["iat"] + 365 * 86400 and claims["jti"]
    vouched(chain, community.root.certificate, server.fhir)
    for endpoint in ["authorization_endpoint", "token_endpoint", "registration_endpoint"]:
        assert (endpoint in claims) or endpoint not in document, endpoint
        document[endpoint] = claims.get(endpoint, document.get(endpoint))
    return document


class Partner:
    """One partner, with what it knows."""

    def __init__(self, server, document, held):
        self.server, self.document, self.held = server, document, held
        self.source, self.id = world.address(), None

    def register(self, **claims):
        said = {
            "iss": self.held.uri,
            "sub": self.held.uri,
            "aud": self.document["registration_endpoint"],
            **self.times(),
            **claims,
        }
        body = {"software_statement": encode(said, self.held), "certifications": [], "udap": "1"}
        headers = {"content-type": "application/json"}
        answer = self.server.send(
            "POST", self.document["registration_endpoint"], json.dumps(body), headers, self.source
        )
        assert answer.status in (200, 201), answer
        assert answer.json["software_statement"] == body["software_statement"]
        assert not {"iss", "sub", "aud", "exp", "iat", "jti"} & set(answer.json)
        assert all(answer.json[name] not in (None, "") for name in answer.json)
        return answer

    def system(self, scope="system/Patient.rs system/Encounter.rs", **claims):
        answer = self.register(
            client_name="A payer",
            contacts=["mailto:help@payer.example.org"],
            grant_types=["client_credentials"],
            token_endpoint_auth_method="private_key_jwt",
            scope=scope,
            **claims,
        )
        self.id = answer.json["client_id"]
        return answer

    def times(self):
        return {"iat": int(time.time()), "exp": int(time.time()) + 300, "jti": str(uuid.uuid4())}

    def ask(self, purposes=("urn:oid:2.16.840.1.113883.5.8#HPAYMT",), **form):
        said = {
            "iss": self.id,
            "sub": self.id,
            "aud": self.document["token_endpoint"],
            **self.times(),
            "extensions": {
                "hl7-b2b": {
                    "version": "1",
                    "organization_id": self.held.uri,
                    "organization_name": "A payer",
                    "subject_name": "Claims desk",
                    "purpose_of_use": list(purposes),
                }
            },
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": world.ASSERTION_TYPE,
            "client_assertion": encode(said, self.held),
            "udap": "1",
            **form,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        body = urllib.parse.urlencode(form)
        return self.server.send("POST", self.document["token_endpoint"], body, headers, self.source)

    def token(self, **options):
        answer = self.ask(**options)
        assert answer.status == 200, answer
        assert answer.headers["cache-control"] == "no-store" and answer.headers["pragma"] == "no-cache"
        body = answer.json
        assert body["token_type"] == "Bearer" and 0 < body["expires_in"] <= 3600 and "refresh_token" not in body
        return body["access_token"]


def records(uri):
    """A member of the payer and somebody else, each with a stay."""
    day = pki.now().date()
    period = {"start": str(day - timedelta(days=100)), "end": str(day + timedelta(days=100))}
    stay = {
        "resourceType": "Encounter", "period": {"start": str(day - timedelta(days=10))},
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
    }
    return [
        {"resourceType": "Organization", "id": "payer", "name": "A payer",
         "identifier": [{"system": "urn:ietf:rfc:3986", "value": uri}]},
        {"resourceType": "Patient", "id": "member", "name": [{"family": "Covered"}]},
        {"resourceType": "Patient", "id": "other", "name": [{"family": "Someone"}]},
        {"resourceType": "Coverage", "id": "plan", "status": "active", "period": period,
         "beneficiary": {"reference": "Patient/member"}, "payor": [{"reference": "Organization/payer"}]},
        {**stay, "id": "stay", "subject": {"reference": "Patient/member"}},
        {**stay, "id": "other-stay", "subject": {"reference": "Patient/other"}},
    ]  # fmt: skip


CHECKS = []


def run(server, lists):
    def passed(what):
        CHECKS.append(what)
        print(f"ok - udap: {what}", flush=True)

    assert server.send("GET", f"{server.fhir}/.well-known/udap").status == 404
    passed("a member of no community tells nothing (D1)")

    north = Community(server, lists, "north", server_key=pki.rsa_key(which=9))
    south = Community(server, lists, "south", server_key=pki.rsa_key(which=8))
    document = discovered(server, north)
    passed("metadata and its signed part: chain, revocation, URI, claims (D1 to D4)")
    for asked, community in [(north.uri, north), (south.uri, south), ("https://nobody.example.org", north)]:
        discovered(server, community, "?community=" + urllib.parse.quote(asked, safe=""))
    passed("each community's own certificate; the default for an unknown one (D5)")

    uri = fresh_uri()
    partner = Partner(server, document, north.leaf(uri, key=pki.rsa_key()))
    answer = partner.system()
    assert answer.status == 201 and answer.json["grant_types"] == ["client_credentials"], answer
    assert answer.json["token_endpoint_auth_method"] == "private_key_jwt" and answer.json["client_name"] == "A payer"
    assert "redirect_uris" not in answer.json and "response_types" not in answer.json
    passed("registers as a system with an RSA key (D14 to D16)")

    server.put(server.system(), *records(uri))
    token = partner.token()
    assert server.read(token, "Patient/member").status == 200
    assert server.read(token, "Encounter/stay").status == 200
    found = server.read(token, "Patient").json
    assert [entry["resource"]["id"] for entry in found.get("entry", [])] == ["member"], found
    assert server.read(token, "Patient/other").status in (403, 404)
    assert server.read(token, "Encounter/other-stay").status in (403, 404)
    passed("a payer reads its member and nobody else (D26 to D28)")

    token = partner.token(purposes=["TREAT"])
    assert server.read(token, "Patient/member").status in (403, 404)
    passed("for another purpose than payment it does not (D28)")

    other = Partner(server, document, north.leaf(fresh_uri()))
    assert other.system().status == 201
    assert server.read(other.token(), "Patient/member").status in (403, 404)
    passed("another partner, with an EC key, reads nobody")

    before, answer = partner.id, partner.system("system/Patient.rs")
    assert answer.status == 200 and partner.id == before and answer.json["scope"] == "system/Patient.rs", answer
    assert server.read(partner.token(), "Encounter/stay").status == 403
    passed("changes its registration and keeps its name (D18)")

    partner.held = north.leaf(uri)
    token = partner.token()
    assert server.read(token, "Patient/member").status == 200
    passed("comes with a new certificate of the same URI (D21)")

    app = Partner(server, document, north.leaf(fresh_uri()))
    answer = app.register(
        client_name="An app",
        contacts=["mailto:help@app.example.org"],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        redirect_uris=["https://app.example.org/back"],
        logo_uri="https://app.example.org/logo.png",
        token_endpoint_auth_method="private_key_jwt",
        scope="openid fhirUser offline_access user/Patient.rs",
    )
    assert answer.status == 201 and answer.json["redirect_uris"] == ["https://app.example.org/back"], answer
    assert answer.json["response_types"] == ["code"]
    passed("registers as an app (D14 to D16)")

    # A list that is short-lived, and then holds the certificate: what was believed must end with it.
    url = lists.place()
    held = north.authority.leaf(fresh_uri(), crl=url)
    lists.put(url, north.authority.crl(life_s=4, number=1))
    revoked = Partner(server, document, held)
    revoked.system()
    token = revoked.token()
    assert server.read(token, "Patient").status == 403
    lists.put(url, north.authority.crl(held.certificate, number=2))
    for _ in range(300):
        status = server.read(token, "Patient").status
        if status == 401:
            break
        time.sleep(0.1)
    assert status == 401, f"the token of a revoked certificate still works: {status}"
    answer = revoked.ask()
    assert (answer.status, answer.json["error"]) == (400, "invalid_client"), answer
    passed("a certificate that is revoked later ends its token by itself, and gets no other (D9)")

    assert server.read(token := partner.token(), "Patient/member").status == 200
    gone = partner.register(grant_types=[])
    assert gone.status == 200 and gone.json["grant_types"] == [], gone
    assert server.read(token, "Patient/member").status == 401
    answer = partner.ask()
    assert (answer.status, answer.json["error"]) == (400, "invalid_client"), answer
    passed("cancels its registration, and its token ends (D19)")
    print(f"udap client: {len(CHECKS)} passed, 0 failed")


with world.Server(allow=["127.0.0.1/32"]) as server:
    run(server, Lists())
