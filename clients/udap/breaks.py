"""A client that breaks one rule at a time, and must get the right error each time. Rows D9 to D31.

Environment: HANDRAIL. Prints a line for each case: what was answered, and what should have been when that differs. Each
kind of break has a twin that is in order and must be let in, for what refuses everybody passes no test.
"""

import base64
import json
import re
import sys
import time
import urllib.parse
from datetime import timedelta

import pki
import world
from lists import Lists
from partners import Client, Community, fresh_uri
from world import moment

# A line a case:
# fmt: off
STATEMENT, UNAPPROVED = "invalid_software_statement", "unapproved_software_statement"
METADATA, REDIRECT = "invalid_client_metadata", "invalid_redirect_uri"
CLIENT, GRANT, REQUEST, SCOPE = "invalid_client", "invalid_grant", "invalid_request", "invalid_scope"

CASES = []


def case(row, what, status, error, done):
    CASES.append((row, what, status, error, done))


def error_of(answer):
    """As JSON says it, or a redirect, or a protected resource."""
    query = urllib.parse.urlsplit(answer.headers.get("location") or "").query
    challenge = re.search(r'error="([a-z_]+)"', answer.headers.get("www-authenticate") or "")
    return (
        answer.json.get("error")
        or urllib.parse.parse_qs(query).get("error", [None])[0]
        or (challenge and challenge.group(1))
    )


def statements(c, canary):
    """What a statement says of itself, and how it is signed."""
    reg = c.register

    def signed(**sign):
        return reg(sign=sign)

    def headed(**header):
        return reg(sign={"header": header})

    case("D14", "in order, ES256", 201, None, lambda: reg())
    case("D8", "in order, RS256", 201, None, lambda: reg(c.leaf(fresh_uri(), key=pki.rsa_key())))
    case("D8", "in order, ES384", 201, None, lambda: reg(c.leaf(fresh_uri(), key=pki.ec_key(pki.ec.SECP384R1))))
    case("D14", "in order, aud is a list", 201, None, lambda: reg(aud=[c.server.registration]))
    case("D14", "expired", 400, STATEMENT, lambda: reg(iat=moment() - 400, exp=moment() - 120))
    case("D14", "good for six minutes", 400, STATEMENT, lambda: reg(**world.times(360)))
    case("D14", "ends before it begins", 400, STATEMENT, lambda: reg(**world.times(-10)))
    case("D14", "iat ten minutes ahead", 400, STATEMENT, lambda: reg(iat=moment() + 600, exp=moment() + 700))
    case("D14", "nbf ten minutes ahead", 400, STATEMENT, lambda: reg(nbf=moment() + 600))
    case("D14", "no exp", 400, STATEMENT, lambda: reg(exp=None))
    case("D14", "no iat", 400, STATEMENT, lambda: reg(iat=None))
    case("D14", "no jti", 400, STATEMENT, lambda: reg(jti=None))
    case("D14", "exp is a text", 400, STATEMENT, lambda: reg(exp=str(moment() + 200)))
    case("D14", "aud is another server", 400, STATEMENT, lambda: reg(aud="https://other.example.org/register"))
    case("D14", "aud is the token endpoint", 400, STATEMENT, lambda: reg(aud=c.server.token))
    case("D6", "aud with a slash more", 400, STATEMENT, lambda: reg(aud=c.server.registration + "/"))
    case("D14", "no aud", 400, STATEMENT, lambda: reg(aud=None))
    case("D14", "iss is not sub", 400, STATEMENT, lambda: reg(sub="https://other.example.org/fhir"))
    case("D14", "iss is no URI", 400, STATEMENT, lambda: reg(iss="payer", sub="payer"))
    case("D14", "no iss", 400, STATEMENT, lambda: reg(iss=None))

    once = {}

    def replayed():
        held, source = c.leaf(fresh_uri()), world.address()
        said = world.jws(world.statement(c.server, held.uri), held)
        first = c.server.register(said, source)
        assert first.status == 201, first
        return c.server.register(said, source)

    def late():
        # Ended, and yet within the minute that clocks may differ by: after that its jti is free again.
        once["held"], once["times"] = c.leaf(fresh_uri()), {"iat": moment() - 62, "exp": moment() - 57}
        return reg(once["held"], jti="the same", **once["times"])

    def later():
        time.sleep(max(0, once["times"]["exp"] + 62 - time.time()))
        return reg(once["held"], jti="the same")

    case("D12", "jti replayed", 400, STATEMENT, replayed)
    case("D12", "just about expired", 201, None, late)
    case("D12", "its jti again, after it ended", 200, None, later)

    case("D8", "alg none", 400, STATEMENT, lambda: signed(alg="none"))
    case("D8", "alg none in capitals", 400, STATEMENT, lambda: headed(alg="None"))
    case("D8", "no alg", 400, STATEMENT, lambda: headed(alg=None))

    def symmetric():
        held = c.leaf(fresh_uri(), key=pki.rsa_key())
        public = held.certificate.public_key().public_bytes(
            pki.serialization.Encoding.PEM, pki.serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return reg(held, sign={"alg": "HS256", "key": public})

    case("D8", "HS256 with the public key", 400, STATEMENT, symmetric)
    case("D8", "PS256", 400, STATEMENT, lambda: reg(c.leaf(fresh_uri(), key=pki.rsa_key()), sign={"alg": "PS256"}))
    case("D8", "RS256 said, ES256 done", 400, STATEMENT, lambda: headed(alg="RS256"))
    case("D8", "ES256 said of a P-384 key", 400, STATEMENT,
         lambda: reg(c.leaf(fresh_uri(), key=pki.ec_key(pki.ec.SECP384R1)), sign={"alg": "ES256"}))
    case("D9", "signed with another key", 400, STATEMENT, lambda: signed(key=pki.ec_key()))

    def tampered(part):
        held = c.leaf(fresh_uri())
        parts = world.jws(world.statement(c.server, held.uri), held).split(".")
        parts[part] = world.jws(world.statement(c.server, held.uri, client_name="Another"), held).split(".")[part]
        return c.server.register(".".join(parts))

    case("D9", "payload exchanged", 400, STATEMENT, lambda: tampered(1))
    case("D9", "signature exchanged", 400, STATEMENT, lambda: tampered(2))
    case("D9", "no signature", 400, STATEMENT,
         lambda: c.server.register(world.jws({}, c.leaf(fresh_uri())).rsplit(".", 1)[0] + "."))
    case("D9", "no JWT at all", 400, STATEMENT, lambda: c.server.register("statement"))

    case("D8", "x5c missing", 400, STATEMENT, lambda: headed(x5c=None))
    case("D8", "x5c empty", 400, STATEMENT, lambda: headed(x5c=[]))

    def listed(made):
        held = c.leaf(fresh_uri())
        return reg(held, sign={"header": {"x5c": made(world.x5c(held.chain))}})

    def web_safe(texts):
        return [world.b64url(base64.b64decode(text)) for text in texts]

    case("D8", "x5c is a text", 400, STATEMENT, lambda: listed(lambda texts: texts[0]))
    case("D8", "x5c in base64url", 400, STATEMENT, lambda: listed(web_safe))
    case("D8", "x5c with line breaks", 400, STATEMENT, lambda: listed(lambda texts: [texts[0][:64] + "\n" + texts[0][64:]]))
    case("D8", "x5c in reverse order", 400, STATEMENT, lambda: listed(lambda texts: texts[::-1]))
    case("D8", "x5c holds no certificate", 400, STATEMENT, lambda: listed(lambda _: [base64.b64encode(b"no").decode()]))

    stranger = pki.ec_key()
    numbers = stranger.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": world.b64url(numbers.x.to_bytes(32, "big")),
           "y": world.b64url(numbers.y.to_bytes(32, "big"))}
    mine = {"key": stranger, "alg": "ES256"}
    case("D8", "jwk in place of x5c", 400, STATEMENT, lambda: signed(**mine, header={"x5c": None, "jwk": jwk}))
    case("D8", "jwk beside somebody's x5c", 400, STATEMENT, lambda: signed(**mine, header={"jwk": jwk}))
    case("D8", "jku in place of x5c", 400, STATEMENT,
         lambda: signed(**mine, header={"x5c": None, "jku": canary, "kid": "1"}))
    case("D8", "x5u in place of x5c", 400, STATEMENT, lambda: signed(header={"x5c": None, "x5u": canary}))
    case("D8", "crit with what is unknown", 400, STATEMENT, lambda: headed(crit=["udap"], udap="1"))
    case("D8", "alg twice in the header", 400, STATEMENT, lambda: twice_in_header())
    case("D8", "iss twice in the payload", 400, STATEMENT, lambda: twice_in_payload())

    def twice_in_header():
        held = c.leaf(fresh_uri())
        first = json.dumps({"alg": "ES256", "x5c": world.x5c(held.chain)})
        return reg(held, sign={"head": ('{"alg":"ES256",' + first[1:]).encode()})

    def twice_in_payload():
        held = c.leaf(fresh_uri())
        first = json.dumps(world.statement(c.server, held.uri))
        return reg(held, sign={"payload": ('{"iss":"https://other.example.org",' + first[1:]).encode()})


def certificates(c):
    """Whose certificates they are, and what is wrong with them."""

    def named(of):
        uri = fresh_uri()
        return c.register(c.leaf(of(uri)), uri=uri)

    case("D11", "a second name is ours", 201, None, lambda: named(lambda uri: [fresh_uri(), uri]))
    case("D11", "SAN with a slash more", 400, STATEMENT, lambda: named(lambda uri: uri + "/"))
    case("D11", "SAN with the host in capitals", 400, STATEMENT, lambda: named(lambda uri: uri.replace("partner", "PARTNER")))
    case("D11", "SAN with the port", 400, STATEMENT, lambda: named(lambda uri: uri.replace(".org/", ".org:443/")))
    case("D11", "SAN without the path", 400, STATEMENT, lambda: named(lambda uri: uri.removesuffix("/fhir")))
    case("D11", "no SAN", 400, STATEMENT, lambda: named(lambda _: None))

    def reg(held):
        return c.register(held)

    def untrusted():
        root = pki.Authority.root("Nobody's root")
        authority = root.below("Nobody's intermediate", path_length=0, crl=c.lists.place(root.crl()))
        return reg(authority.leaf(fresh_uri(), crl=c.lists.place(authority.crl())))

    def impostor():
        # The names of the real ones, other keys.
        root = pki.Authority.root("north root")
        authority = root.below("north intermediate", path_length=0, crl=c.root_list)
        return reg(authority.leaf(fresh_uri(), crl=c.list))

    def self_signed():
        key, subject = pki.ec_key(), pki.name("Myself")
        own = pki.build(subject, key.public_key(), subject, key, key.public_key(), uris=[fresh_uri()], crl=c.list)
        return reg(pki.Held(own, key, []))

    def alone():
        held = c.leaf(fresh_uri())
        return reg(pki.Held(held.certificate, held.key, []))

    def shuffled():
        # Row D9 says that what was sent is what a chain is built of; in which order, only the leaf's place is told.
        authority, url = c.below("between", path_length=1)
        low = authority.below("lowest", path_length=0, crl=url)
        held = low.leaf(fresh_uri(), crl=c.lists.place(low.crl()))
        return reg(pki.Held(held.certificate, held.key, held.above[::-1]))

    case("D9", "untrusted chain", 400, UNAPPROVED, untrusted)
    case("D9", "names of a trusted chain, other keys", 400, UNAPPROVED, impostor)
    case("D9", "self-signed", 400, UNAPPROVED, self_signed)
    case("D9", "intermediate missing", 400, UNAPPROVED, alone)
    case("D9", "intermediates in another order", 201, None, shuffled)

    def ends(**options):
        return reg(c.leaf(fresh_uri(), **options))

    day = timedelta(days=1)
    case("D9", "certificate ended yesterday", 400, STATEMENT, lambda: ends(not_before=pki.now() - 9 * day, not_after=pki.now() - day))
    case("D9", "certificate begins tomorrow", 400, STATEMENT, lambda: ends(not_before=pki.now() + day))
    case("D10", "no digitalSignature", 400, UNAPPROVED, lambda: ends(key_usage=["key_encipherment"]))
    case("D10", "unknown critical extension", 400, UNAPPROVED, lambda: ends(critical="1.3.6.1.4.1.32473.1"))
    case("D10", "RSA with 1024 bits", 400, STATEMENT, lambda: ends(key=pki.rsa_key(1024)))
    case("D10", "leaf is an authority", 400, UNAPPROVED, lambda: ends(authority=(True, None), key_usage=["digital_signature", "key_cert_sign"]))

    def under(**options):
        authority, url = c.below("an intermediate", **options)
        return reg(authority.leaf(fresh_uri(), crl=url))

    def sha1():
        authority, url = c.below("with RSA", key=pki.rsa_key(which=1))
        return reg(authority.leaf(fresh_uri(), crl=url, sha1=True))

    def twin_of_sha1():
        authority, url = c.below("with RSA", key=pki.rsa_key(which=1))
        return reg(authority.leaf(fresh_uri(), crl=url))

    def too_deep(first, second):
        high, high_list = c.below("high", path_length=first)
        low = high.below("low", path_length=second, crl=high_list)
        return reg(low.leaf(fresh_uri(), crl=c.lists.place(low.crl())))

    case("D10", "intermediate with RSA", 201, None, twin_of_sha1)
    case("D10", "signed with SHA-1", 400, UNAPPROVED, sha1)
    case("D10", "two intermediates, two allowed", 201, None, lambda: too_deep(1, 0))
    case("D10", "two intermediates, one allowed", 400, UNAPPROVED, lambda: too_deep(0, None))
    case("D10", "intermediate without CA", 400, UNAPPROVED, lambda: under(authority=False))
    case("D10", "intermediate may not certify", 400, UNAPPROVED, lambda: under(key_usage=["digital_signature", "crl_sign"]))
    case("D9", "intermediate ended", 400, STATEMENT, lambda: under(not_before=pki.now() - 9 * day, not_after=pki.now() - day))
    case("D10", "name within constraints", 201, None, lambda: under(permitted=".example.org"))
    case("D10", "name outside constraints", 400, UNAPPROVED, lambda: under(permitted=".example.net"))

    def long_chain(certificates):
        authority, url = c.root, c.root_list
        for number in range(certificates - 2):
            authority = authority.below(f"level {number}", crl=url)
            url = c.lists.place(authority.crl())
        return reg(authority.leaf(fresh_uri(), crl=url))

    def with_more(count):
        held = c.leaf(fresh_uri())
        more = [pki.Authority.root(f"Bystander {number}").certificate for number in range(count)]
        return reg(pki.Held(held.certificate, held.key, held.above + more))

    case("D10", "six certificates up to the root", 201, None, lambda: long_chain(6))
    case("D10", "seven certificates up to the root", 400, UNAPPROVED, lambda: long_chain(7))
    case("D10", "ten certificates sent", 201, None, lambda: with_more(8))
    case("D10", "eleven certificates sent", 400, STATEMENT, lambda: with_more(9))
    case("D10", "a statement of 61 kB", 400, STATEMENT, lambda: reg(c.leaf(fresh_uri(), bulk=34300)))
    case("D10", "certificates of 64 kB", 413, REQUEST, lambda: reg(c.leaf(fresh_uri(), bulk=65536)))


def revocation(c):
    """Who says that a certificate still counts."""
    ca = c.authority

    def listed(made):
        return c.register(c.with_list(made))

    case("D9", "revoked", 400, UNAPPROVED, lambda: listed(lambda held: ca.crl(held.certificate)))
    case("D9", "another one revoked", 201, None, lambda: listed(lambda _: ca.crl(c.leaf(fresh_uri()).certificate)))

    def revoked_intermediate():
        url = c.lists.place()
        authority = c.root.below("revoked", path_length=0, crl=url)
        c.lists.put(url, c.root.crl(authority.certificate))
        return c.register(authority.leaf(fresh_uri(), crl=c.lists.place(authority.crl())))

    def silent_intermediate():
        authority = c.root.below("nobody says", path_length=0, crl=c.lists.place(404))
        return c.register(authority.leaf(fresh_uri(), crl=c.lists.place(authority.crl())))

    case("D9", "intermediate revoked", 400, UNAPPROVED, revoked_intermediate)
    case("D9", "no list of the intermediate", 400, UNAPPROVED, silent_intermediate)
    case("D9", "list past its nextUpdate", 400, UNAPPROVED, lambda: listed(lambda _: ca.crl(age_s=7200, life_s=-3600)))
    case("D9", "list of tomorrow", 400, UNAPPROVED, lambda: listed(lambda _: ca.crl(age_s=-86400, life_s=2 * 86400)))
    case("D9", "list signed by another key", 400, UNAPPROVED, lambda: listed(lambda _: ca.crl(key=pki.ec_key())))
    case("D9", "list of the root", 400, UNAPPROVED, lambda: listed(lambda _: c.root.crl()))
    case("D9", "list of users alone", 201, None, lambda: listed(lambda _: ca.crl(issuing_point="only_contains_user_certs")))
    case("D9", "list of authorities alone", 400, UNAPPROVED, lambda: listed(lambda _: ca.crl(issuing_point="only_contains_ca_certs")))
    case("D9", "indirect list", 400, UNAPPROVED, lambda: listed(lambda _: ca.crl(issuing_point="indirect_crl")))
    case("D9", "list not found", 400, UNAPPROVED, lambda: listed(lambda _: 404))
    case("D9", "list server fails", 400, UNAPPROVED, lambda: listed(lambda _: 500))
    case("D9", "list is something else", 400, UNAPPROVED, lambda: listed(lambda _: b"<html>sign in</html>"))
    case("D9", "neither list nor responder named", 400, UNAPPROVED, lambda: c.register(ca.leaf(fresh_uri())))

    def asked(made):
        return c.register(c.with_ocsp(made))

    def another():
        return c.leaf(fresh_uri())

    def changed_at_end(answer):
        return answer[:-1] + bytes([answer[-1] ^ 1])

    stranger = pki.Authority.root("Stranger")
    case("D9", "OCSP: good", 201, None, lambda: asked(lambda held: ca.ocsp(held)))
    case("D9", "OCSP: good, says the delegate", 201, None, lambda: asked(lambda held: ca.ocsp(held, by=ca.delegate())))
    case("D9", "OCSP: revoked", 400, UNAPPROVED, lambda: asked(lambda held: ca.ocsp(held, "revoked")))
    case("D9", "OCSP: unknown", 400, UNAPPROVED, lambda: asked(lambda held: ca.ocsp(held, "unknown")))
    case("D9", "OCSP: good, says a leaf that may not", 400, UNAPPROVED, lambda: asked(lambda held: ca.ocsp(held, by=another())))
    case("D9", "OCSP: good, says another's delegate", 400, UNAPPROVED, lambda: asked(lambda held: ca.ocsp(held, by=stranger.delegate())))
    case("D9", "OCSP: good, says the root's delegate", 400, UNAPPROVED, lambda: asked(lambda held: ca.ocsp(held, by=c.root.delegate())))
    case("D9", "OCSP: its signature changed", 400, UNAPPROVED, lambda: asked(lambda held: changed_at_end(ca.ocsp(held))))
    case("D9", "OCSP: about another certificate", 400, UNAPPROVED, lambda: asked(lambda held: ca.ocsp(held, about=another())))
    case("D9", "OCSP: past its nextUpdate", 400, UNAPPROVED, lambda: asked(lambda held: ca.ocsp(held, age_s=7200, life_s=-3600)))
    case("D9", "OCSP: the responder says: later", 400, UNAPPROVED, lambda: asked(lambda _: bytes.fromhex("30030a0103")))
    case("D9", "OCSP: the responder is gone", 400, UNAPPROVED, lambda: asked(lambda _: 503))


def metadata(c):
    """What a partner wants to be registered as."""
    reg = c.register

    def app(**claims):
        return reg(app=True, **claims)

    case("D14", "app in order", 201, None, lambda: app())
    case("D15", "system with a logo_uri, as some send it", 201, None, lambda: reg(logo_uri="https://app.example.org/x.png"))
    case("D15", "members that nobody knows", 201, None, lambda: reg(software_color="green"))
    case("D14", "both grant types", 400, METADATA, lambda: app(grant_types=["authorization_code", "client_credentials"]))
    case("D14", "refresh_token with client_credentials", 400, METADATA, lambda: reg(grant_types=["client_credentials", "refresh_token"]))
    case("D14", "refresh_token alone", 400, METADATA, lambda: reg(grant_types=["refresh_token"]))
    case("D14", "unknown grant type", 400, METADATA, lambda: reg(grant_types=["password"]))
    case("D14", "no grant_types", 400, METADATA, lambda: reg(grant_types=None))
    case("D14", "redirect URI with http", 400, REDIRECT, lambda: app(redirect_uris=["http://app.example.org/back"]))
    case("D14", "redirect URI of this machine", 400, REDIRECT, lambda: app(redirect_uris=["http://127.0.0.1/back"]))
    case("D14", "redirect URI with a fragment", 400, REDIRECT, lambda: app(redirect_uris=["https://app.example.org/back#x"]))
    case("D14", "redirect URI with a star", 400, REDIRECT, lambda: app(redirect_uris=["https://*.example.org/back"]))
    case("D14", "second redirect URI with http", 400, REDIRECT,
         lambda: app(redirect_uris=["https://app.example.org/back", "http://app.example.org/back"]))
    case("D14", "app without redirect URIs", 400, REDIRECT, lambda: app(redirect_uris=None))
    case("D14", "system with redirect URIs", 400, REDIRECT, lambda: reg(redirect_uris=["https://app.example.org/back"]))
    case("D14", "app without a logo", 400, METADATA, lambda: app(logo_uri=None))
    case("D14", "logo with http", 400, METADATA, lambda: app(logo_uri="http://app.example.org/logo.png"))
    case("D14", "logo that is SVG", 400, METADATA, lambda: app(logo_uri="https://app.example.org/logo.svg"))
    case("D14", "no contacts", 400, METADATA, lambda: reg(contacts=None))
    case("D14", "contacts empty", 400, METADATA, lambda: reg(contacts=[]))
    case("D14", "contacts without mailto", 400, METADATA, lambda: reg(contacts=["https://app.example.org/help"]))
    case("D14", "no client_name", 400, METADATA, lambda: reg(client_name=None))
    case("D14", "auth method client_secret_basic", 400, METADATA, lambda: reg(token_endpoint_auth_method="client_secret_basic"))
    case("D14", "no auth method", 400, METADATA, lambda: reg(token_endpoint_auth_method=None))
    case("D14", "app with response type token", 400, METADATA, lambda: app(response_types=["token"]))
    case("D14", "app without response types", 400, METADATA, lambda: app(response_types=None))
    case("D14", "system with response types", 400, METADATA, lambda: reg(response_types=["code"]))
    case("D14", "no scope", 400, METADATA, lambda: reg(scope=None))
    case("D15", "wildcard that is not offered", 400, METADATA, lambda: reg(scope="system/Patient.rs partner/*.rs"))
    case("D17", "no scope that a system can have", 400, METADATA, lambda: reg(scope="patient/Patient.rs"))

    def enveloped(**body):
        return reg(body=body)

    def posted(body, kind="application/json"):
        return c.server.send("POST", c.server.registration, body, {"content-type": kind}, world.address())

    case("D13", "udap absent", 400, METADATA, lambda: enveloped(udap=None))
    case("D13", "udap is 2", 400, METADATA, lambda: enveloped(udap="2"))
    case("D13", "udap is a number", 400, METADATA, lambda: enveloped(udap=1))
    case("D13", "further members", 201, None, lambda: enveloped(client_name="not looked at"))
    case("D13", "no software_statement", 400, STATEMENT, lambda: enveloped(software_statement=None))
    case("D13", "certifications is a text", 400, METADATA, lambda: enveloped(certifications="x"))
    case("D13", "body is no JSON", 400, METADATA, lambda: posted("{udap"))
    case("D13", "body is a list", 400, METADATA, lambda: posted("[]"))
    case("D13", "body is a form", 400, REQUEST, lambda: posted("udap=1", "application/x-www-form-urlencoded"))
    case("D13", "body of 70 kB", 413, REQUEST, lambda: posted(json.dumps({"udap": "1", "x": "y" * 70_000})))
    case("D13", "GET", 405, REQUEST, lambda: c.server.send("GET", c.server.registration, source=world.address()))


def registrations(c, south, server):
    """One for each community and URI."""

    def flip():
        return Client(c).again(app=True)

    def changed():
        client = Client(c)
        answer = client.again(scope="system/Encounter.rs", client_name="Another name")
        assert answer.json.get("client_id") == client.id and answer.json["scope"] == "system/Encounter.rs", answer
        return answer

    def narrowed():
        # What its token could do is gone with the scope.
        client = Client(c)
        token = client.ask().json["access_token"]
        assert client.again(scope="system/Encounter.rs").status == 200
        return server.read(token, "Patient")

    def of_another_community():
        client = Client(c)
        other = south.register(south.leaf(client.held.uri), scope="system/Encounter.rs")
        assert other.status == 201 and other.json["client_id"] != client.id, other
        answer = client.ask(form={"scope": "system/Patient.rs"})
        assert answer.json.get("scope") == "system/Patient.rs", answer
        return answer

    def cancelled_elsewhere():
        client = Client(c)
        assert south.register(south.leaf(client.held.uri)).status == 201
        gone = south.register(south.leaf(client.held.uri), grant_types=[])
        assert gone.status == 200, gone
        return client.ask()

    def cancelled(then):
        client = Client(c)
        token = client.ask().json["access_token"]
        answer = client.again(grant_types=[])
        assert answer.status == 200 and answer.json["grant_types"] == [], answer
        return then(client, token)

    case("D18", "changed: the same client_id", 200, None, changed)
    case("D18", "changed to fewer scopes: the token ends", 401, "invalid_token", narrowed)
    case("D18", "other grant type without cancelling", 400, METADATA, flip)
    case("D18", "the same URI in another community", 200, None, of_another_community)
    case("D18", "cancelled in another community", 200, None, cancelled_elsewhere)
    case("D19", "cancelled: its token ends", 401, "invalid_token", lambda: cancelled(lambda _, token: server.read(token, "Patient")))
    case("D19", "cancelled: no more tokens", 400, CLIENT, lambda: cancelled(lambda client, _: client.ask()))
    case("D19", "cancelled, then the other grant type", 201, None, lambda: cancelled(lambda client, _: client.again(app=True)))
    case("D19", "cancelled, and nothing is there", 400, METADATA, lambda: c.register(grant_types=[]))


def tokens(c, south, server):
    """Who asks for a token."""
    made = {}

    def one(key="one", community=c, **options):
        if key not in made:
            made[key] = Client(community, **options)
        return made[key]

    def ask(**changed):
        return one().ask(**changed)

    case("D26", "in order", 200, None, lambda: ask())
    case("D26", "in order, RS256", 200, None, lambda: one("rsa", held=c.leaf(fresh_uri(), key=pki.rsa_key())).ask())
    case("D31", "in order, scope named", 200, None, lambda: ask(form={"scope": "system/Patient.rs"}))
    case("D26", "expired", 400, CLIENT, lambda: ask(iat=moment() - 400, exp=moment() - 120))
    case("D26", "good for six minutes", 400, CLIENT, lambda: ask(**world.times(360)))
    case("D26", "iat ten minutes ahead", 400, CLIENT, lambda: ask(iat=moment() + 600, exp=moment() + 700))
    case("D26", "aud is another server", 400, CLIENT, lambda: ask(aud="https://other.example.org/token"))
    case("D26", "aud is the registration endpoint", 400, CLIENT, lambda: ask(aud=server.registration))
    case("D26", "no jti", 400, CLIENT, lambda: ask(jti=None))
    case("D26", "iss is not sub", 400, CLIENT, lambda: ask(sub="another"))
    case("D26", "iss of another client", 400, CLIENT, lambda: ask(iss=one("rsa").id, sub=one("rsa").id))
    case("D26", "iss of nobody", 400, CLIENT, lambda: ask(iss="nobody", sub="nobody"))
    case("D26", "iss is the URI", 400, CLIENT, lambda: ask(iss=one().held.uri, sub=one().held.uri))

    def replayed():
        times = world.times()
        assert ask(**times).status == 200
        return ask(**times)

    case("D12", "jti replayed", 400, CLIENT, replayed)
    case("D8", "alg none", 400, CLIENT, lambda: ask(sign={"alg": "none"}))
    case("D8", "HS256", 400, CLIENT, lambda: ask(sign={"alg": "HS256", "key": b"secret"}))
    case("D26", "signed with another key", 400, CLIENT, lambda: ask(sign={"key": pki.ec_key()}))
    case("D26", "x5c missing", 400, CLIENT, lambda: ask(sign={"header": {"x5c": None}}))

    def by(**options):
        return ask(held=c.leaf(one().held.uri, **options))

    def revoked():
        return ask(held=c.with_list(lambda held: c.authority.crl(held.certificate), uri=one().held.uri))

    case("D21", "a new certificate of the same URI", 200, None, lambda: by())
    case("D26", "a certificate of another URI", 400, CLIENT, lambda: ask(held=c.leaf(fresh_uri())))
    case("D26", "the URI with a slash more", 400, CLIENT, lambda: ask(held=c.leaf(one().held.uri + "/")))
    case("D26", "a certificate that ended", 400, CLIENT,
         lambda: by(not_before=pki.now() - timedelta(days=9), not_after=pki.now() - timedelta(days=1)))
    case("D26", "a revoked certificate", 400, CLIENT, revoked)
    case("D26", "the other community's certificate", 400, CLIENT, lambda: ask(held=south.leaf(one().held.uri)))
    case("D26", "nobody's certificate", 400, CLIENT, lambda: ask(held=pki.Authority.root("Nobody").leaf(one().held.uri)))

    basic = {"authorization": "Basic " + base64.b64encode(b"client:secret").decode()}
    case("D25", "Authorization header besides", 400, REQUEST, lambda: ask(headers=basic))
    case("D25", "client_secret besides", 400, REQUEST, lambda: ask(form={"client_secret": "secret"}))
    case("D25", "udap missing", 400, REQUEST, lambda: ask(form={"udap": None}))
    case("D25", "udap is 2", 400, REQUEST, lambda: ask(form={"udap": "2"}))
    case("D25", "no assertion", 400, REQUEST, lambda: ask(form={"client_assertion": None}))
    case("D25", "another type of assertion", 400, REQUEST, lambda: ask(form={"client_assertion_type": "urn:x"}))
    case("D26", "another client_id besides", 400, CLIENT, lambda: ask(form={"client_id": "another"}))
    case("D25", "grant_type missing", 400, REQUEST, lambda: ask(form={"grant_type": None}))
    case("D25", "grant_type unknown", 400, "unsupported_grant_type", lambda: ask(form={"grant_type": "password"}))
    case("D30", "a system refreshes", 400, GRANT, lambda: ask(form={"grant_type": "refresh_token", "refresh_token": "x"}))
    case("D30", "an app asks for itself", 400, "unauthorized_client", lambda: one("app", app=True).ask())
    case("D26", "an app with a made-up code", 400, GRANT,
         lambda: one("app", app=True).ask(form={"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43,
                                                 "redirect_uri": "https://app.example.org/back"}))
    case("D31", "scope beyond the registration", 400, SCOPE, lambda: ask(form={"scope": "system/Observation.rs"}))

    def narrower():
        answer = ask(form={"scope": "system/Patient.rs system/Observation.rs"})
        assert answer.json.get("scope") == "system/Patient.rs", answer
        return answer

    case("D31", "scope partly beyond it: what is left is said", 200, None, narrower)

    def b2b(**changed):
        return ask(extension=world.b2b(**changed))

    plain = ["HPAYMT"]
    policy, reference = ["https://policy.example.org/1"], ["https://payer.example.org/Consent/1"]
    case("D27", "no extensions", 400, GRANT, lambda: ask(extensions=None))
    case("D27", "no hl7-b2b", 400, GRANT, lambda: ask(extensions={}))
    case("D27", "hl7-b2b is a text", 400, GRANT, lambda: ask(extension="1"))
    case("D27", "plain code of the purpose", 200, None, lambda: b2b(purpose_of_use=plain))
    case("D27", "no version", 400, GRANT, lambda: b2b(version=None))
    case("D27", "version 2", 400, GRANT, lambda: b2b(version="2"))
    case("D27", "no organization_id", 400, GRANT, lambda: b2b(organization_id=None))
    case("D27", "organization_id is no URI", 400, GRANT, lambda: b2b(organization_id="payer"))
    case("D27", "no purpose_of_use", 400, GRANT, lambda: b2b(purpose_of_use=None))
    case("D27", "purpose_of_use empty", 400, GRANT, lambda: b2b(purpose_of_use=[]))
    case("D27", "purpose_of_use is a text", 400, GRANT, lambda: b2b(purpose_of_use="HPAYMT"))
    case("D27", "unknown purpose", 400, GRANT, lambda: b2b(purpose_of_use=["FUN"]))
    case("D27", "a purpose of another code system", 400, GRANT, lambda: b2b(purpose_of_use=["urn:oid:1.2.3#HPAYMT"]))
    case("D27", "a purpose that the community has not", 400, GRANT, lambda: b2b(purpose_of_use=["SYSDEV"]))
    case("D27", "one of two purposes is not the community's", 400, GRANT, lambda: b2b(purpose_of_use=["HPAYMT", "SYSDEV"]))
    case("D27", "subject_role without subject_name", 400, GRANT, lambda: b2b(subject_name=None, subject_role="207Q00000X"))
    case("D27", "consent_policy with consent_reference", 200, None, lambda: b2b(consent_policy=policy, consent_reference=reference))
    case("D27", "consent_reference without consent_policy", 400, GRANT, lambda: b2b(consent_reference=reference))
    case("D27", "consent_reference relative", 400, GRANT, lambda: b2b(consent_policy=policy, consent_reference=["Consent/1"]))

    def no_refresh_token():
        answer = ask()
        assert "refresh_token" not in answer.json and answer.json["expires_in"] <= 3600, answer
        assert answer.headers["cache-control"] == "no-store", answer.headers
        return answer

    case("D30", "no refresh token, an hour at most", 200, None, no_refresh_token)

    def authorize(**changed):
        query = world.without({
            "response_type": "code", "client_id": one("app", app=True).id, "redirect_uri": "https://app.example.org/back",
            "scope": "patient/Patient.rs", "state": "s" * 22, "code_challenge": "c" * 43, "code_challenge_method": "S256",
            "aud": server.fhir, **changed,
        })
        return server.send("GET", f"{server.origin}/oauth/authorize?{urllib.parse.urlencode(query)}")

    case("D23", "authorization without state", 303, REQUEST, lambda: authorize(state=None))
    case("D23", "authorization without PKCE", 303, REQUEST, lambda: authorize(code_challenge=None, code_challenge_method=None))


def of_communities(server, lists):
    """What an operator can ask of a community's members."""
    key = pki.rsa_key(which=9)
    basic = "https://certifier.example.org/basic"
    certified = Community(server, lists, "certified", ["--require-certification", basic], key)
    waiting = Community(server, lists, "waiting", ["--approval", "operator", "--registrations", "1"], key)
    lenient = Community(server, lists, "lenient", ["--when-unavailable", "accept"], key)

    def certification(held, by=None, **changed):
        issuer = "https://certifier.example.org/"
        by = by or certified.leaf(issuer)
        claims = {"iss": issuer, "sub": held.uri, **world.times(90 * 86400), "certification_name": "Basic",
                  "certification_uris": [basic], "grant_types": ["client_credentials"], **changed}
        return world.jws(claims, by)

    def with_one(by=None, **changed):
        held = certified.leaf(fresh_uri())
        return certified.register(held, body={"certifications": [certification(held, by, **changed)]})

    case("D20", "certified", 201, None, with_one)
    case("D20", "certification missing", 400, UNAPPROVED, lambda: certified.register())
    case("D20", "another certification", 400, UNAPPROVED, lambda: with_one(certification_uris=["https://certifier.example.org/x"]))
    case("D20", "certification of another client", 400, UNAPPROVED, lambda: with_one(sub=fresh_uri()))
    case("D20", "certification ended", 400, UNAPPROVED, lambda: with_one(iat=moment() - 900, exp=moment() - 300))
    case("D20", "certification for four years", 400, UNAPPROVED, lambda: with_one(**world.times(4 * 366 * 86400)))
    case("D20", "certifier's certificate has another URI", 400, UNAPPROVED, lambda: with_one(by=certified.leaf(fresh_uri())))
    case("D20", "certifier is nobody's", 400, UNAPPROVED,
         lambda: with_one(by=pki.Authority.root("Nobody").leaf("https://certifier.example.org/")))

    kept = {}

    def waits():
        kept["client"] = Client(waiting)
        return kept["client"].ask()

    def approved():
        server.operator("udap", "approve", kept["client"].id)
        return kept["client"].ask()

    case("D17", "the operator has not agreed", 400, "unauthorized_client", waits)
    case("D17", "the operator has agreed", 200, None, approved)
    case("D17", "the community is full", 400, UNAPPROVED, lambda: waiting.register())
    case("D9", "nobody says, and that does", 201, None, lambda: lenient.register(lenient.with_list(lambda _: 404)))
    case("D9", "revoked, where nobody need say", 400, UNAPPROVED,
         lambda: lenient.register(lenient.with_list(lambda held: lenient.authority.crl(held.certificate))))


def main():
    lists = Lists()
    failed = 0
    with world.Server(allow=["127.0.0.1/32"]) as server:
        c = Community(server, lists, "north")
        south = Community(server, lists, "south")
        statements(c, lists.place(200))
        certificates(c)
        revocation(c)
        metadata(c)
        registrations(c, south, server)
        tokens(c, south, server)
        of_communities(server, lists)
        wanted = sys.argv[1:]
        for row, what, status, error, done in CASES:
            if wanted and not any(word in f"{row} {what}" for word in wanted):
                continue
            try:
                answer = done()
                got, is_right = f"{answer.status} {error_of(answer) or ''}", (answer.status, error_of(answer)) == (status, error)
                why = answer.json.get("error_description") or ""
            except AssertionError as wrong:
                got, is_right, why = "--", False, str(wrong)
            failed += not is_right
            print(f"{'ok' if is_right else 'NOT OK':6} {row:4} {what:48} {got}{'' if is_right else f' instead of {status} {error or str()}: {why}'}", flush=True)
    print(f"udap: {len(CASES)} cases, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
