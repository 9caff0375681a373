"""A running server, and what any UDAP client needs: HTTP from an address of one's choice, and JWTs with certificates.

Environment: HANDRAIL, the server's binary. Linux: each case comes from its own address in 127.0.0.0/8, so that what the
server allows one address per minute holds for each by itself.
"""

import base64
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse
import uuid
from pathlib import Path

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import pki

HANDRAIL = os.environ["HANDRAIL"]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DER = pki.DER

_addresses = itertools.count(2)


def address():
    """Another address of this machine."""
    number = next(_addresses)
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    def __str__(self):
        return f"{self.status} {self.body[:300].decode(errors='replace')}"


class Server:
    """`handrail serve` on an empty data directory, ended with the block."""

    def __init__(self, allow=(), flags=()):
        self.folder = Path(tempfile.mkdtemp(prefix="handrail-udap-"))
        self.data = self.folder / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.origin = f"https://127.0.0.1:{self.port}"
        self.fhir = f"{self.origin}/fhir"
        self.registration, self.token = f"{self.origin}/oauth/udap/register", f"{self.origin}/oauth/token"
        self.log = open(self.folder / "log", "wb")
        words = ["serve", "--log-format", "text", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *flags]
        if allow:
            words += ["--egress-allow-networks", ",".join(allow)]
        self.process = subprocess.Popen([HANDRAIL, *words], stdout=self.log, stderr=self.log)
        while not self.listens():
            if self.process.poll() is not None:
                raise SystemExit((self.folder / "log").read_text())
            time.sleep(0.05)
        self.tls = ssl.create_default_context(cafile=self.data / "tls/ca.pem")

    def listens(self):
        return b"listening on " in (self.folder / "log").read_bytes()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if why[0]:
            print((self.folder / "log").read_text()[-4000:])
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        if not why[0]:
            self.operator("audit", "verify")
        self.log.close()
        shutil.rmtree(self.folder)

    def operator(self, *words):
        """A command of the operator; its output."""
        done = subprocess.run([HANDRAIL, *words, "--data", self.data], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr}")
        return done.stdout.strip()

    def join(self, uri, root, held, *options):
        """Makes the server a member of a community with this root, with this certificate of its own."""
        files = {"root": pki.pem(root.certificate), "chain": pki.pem(*held.chain), "key": pki.key_pem(held.key)}
        stem = uuid.uuid4().hex
        for name, content in files.items():
            (self.folder / f"{stem}-{name}").write_bytes(content)
        at = {name: self.folder / f"{stem}-{name}" for name in files}
        words = ["--anchors", at["root"], "--certificate", at["chain"], "--key", at["key"], *options]
        self.operator("udap", "community", "add", uri, *words)

    def system(self):
        """A token of a system that may do everything, for writing what is there to be read."""
        key = self.folder / "system.jwk"
        told = self.operator("client", "add", "system", "--scope", "system/*.cruds", "--custodian", "--generate-key", key)
        client = told.split()[0]
        words = ["token", "--server", self.fhir, "--client", client, "--key", key, "--ca", self.data / "tls/ca.pem"]
        return subprocess.run([HANDRAIL, *words], capture_output=True, text=True, check=True).stdout.strip()

    def send(self, method, url, body=None, headers=None, source=None):
        assert url.startswith(self.origin), url
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=30, context=self.tls, source_address=(source or "127.0.0.1", 0)
        )
        try:
            try:
                connection.request(method, url.removeprefix(self.origin), body, headers or {})
            except OSError:
                # Who sends too much may be answered before all is sent.
                pass
            answer = http.client.HTTPResponse(connection.sock, method=method)
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def put(self, token, *resources):
        for resource in resources:
            url = f"{self.fhir}/{resource['resourceType']}/{resource['id']}"
            headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
            answer = self.send("PUT", url, json.dumps(resource), headers)
            assert answer.status in (200, 201), answer

    def read(self, token, path):
        return self.send("GET", f"{self.fhir}/{path}", headers={"authorization": f"Bearer {token}"})

    def memory_kb(self):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def register(self, statement, source=None, **changed):
        """POSTs a software statement; `changed` replaces members of the body, None leaves one out."""
        body = {"software_statement": statement, "udap": "1", **changed}
        body = {name: value for name, value in body.items() if value is not None}
        headers = {"content-type": "application/json"}
        return self.send("POST", self.registration, json.dumps(body), headers, source or address())

    def ask(self, assertion, headers=None, source=None, **changed):
        """Asks for a token of a system; `changed` as in `register`."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            "udap": "1",
            **changed,
        }
        body = urllib.parse.urlencode({name: value for name, value in form.items() if value is not None})
        headers = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.send("POST", self.token, body, headers, source or address())


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def x5c(chain):
    return [base64.b64encode(one.public_bytes(DER)).decode() for one in chain]


HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def signature(alg, key, message):
    """By whatever key, as far as it can: nothing here refuses what a server ought to refuse."""
    if alg == "none":
        return b""
    digest = HASHES[alg[2:]]()
    if alg.startswith("HS"):
        mac = hmac.HMAC(key, digest)
        mac.update(message)
        return mac.finalize()
    if isinstance(key, rsa.RSAPrivateKey):
        if alg.startswith("PS"):
            scheme = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
        else:
            scheme = padding.PKCS1v15()
        return key.sign(message, scheme, digest)
    r, s = decode_dss_signature(key.sign(message, pki.ec.ECDSA(digest)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def jws(claims, held, alg=None, key=None, header=None, payload=None, head=None):
    """A JWT with its certificates. `header` changes members, None takes one out; `head`, `payload`: the bytes instead."""
    key = key if key is not None else held.key
    alg = alg or algorithm(key)
    members = {"alg": alg, "x5c": x5c(held.chain), **(header or {})}
    members = {name: value for name, value in members.items() if value is not None}
    first = b64url(head if head is not None else json.dumps(members).encode())
    second = b64url(payload if payload is not None else json.dumps(claims).encode())
    return f"{first}.{second}.{b64url(signature(alg, key, f'{first}.{second}'.encode()))}"


def algorithm(key):
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    return f"ES{key.curve.key_size}"


def moment():
    return int(time.time())


def times(life_s=240):
    return {"iat": moment(), "exp": moment() + life_s, "jti": uuid.uuid4().hex}


def without(claims):
    return {name: value for name, value in claims.items() if value is not None}


def statement(server, uri, **changed):
    """Claims of a software statement of a system; None takes one out."""
    return without(
        {
            "iss": uri,
            "sub": uri,
            "aud": server.registration,
            **times(),
            "client_name": "Payer of the tests",
            "contacts": ["mailto:help@payer.example.org"],
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": "system/Patient.rs system/Encounter.rs",
            **changed,
        }
    )


def app_statement(server, uri, **changed):
    """The same of an app."""
    app = {
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "redirect_uris": ["https://app.example.org/back"],
        "logo_uri": "https://app.example.org/logo.png",
        "scope": "patient/Patient.rs offline_access",
    }
    return statement(server, uri, **{**app, **changed})


def b2b(**changed):
    """The `hl7-b2b` object."""
    return without(
        {
            "version": "1",
            "organization_id": "https://payer.example.org",
            "organization_name": "Payer of the tests",
            "subject_name": "Claims desk",
            "purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#HPAYMT"],
            **changed,
        }
    )


def assertion(server, client_id, extension=None, **changed):
    """Claims of an authentication token."""
    return without(
        {
            "iss": client_id,
            "sub": client_id,
            "aud": server.token,
            **times(),
            "extensions": {"hl7-b2b": b2b() if extension is None else extension},
            **changed,
        }
    )
