"""Certificates, revocation lists and OCSP answers of made-up trust communities, made at run time.

Good ones by default; the options of each function are the ways in which one can be bad. Nothing here is shared with the
server: what both sides agree on is what the standards say (RFC 5280, RFC 6960).
"""

from datetime import datetime, timedelta, timezone
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID, NameOID

DER = serialization.Encoding.DER


def now():
    return datetime.now(timezone.utc).replace(microsecond=0)


def ec_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


@cache
def rsa_key(bits=2048, which=0):
    """One for each `which`: they are slow to make, and nothing here depends on their being many."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name(text):
    attributes = [(NameOID.ORGANIZATION_NAME, "Handrail Test"), (NameOID.COMMON_NAME, text)]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])


def usage(*names):
    every = [
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    ]  # fmt: skip
    return x509.KeyUsage(**{one: one in names for one in every})


def pem(*certificates):
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Held:
    """A certificate, its private key, and the certificates above it without the root."""

    def __init__(self, certificate, key, above):
        self.certificate, self.key, self.above = certificate, key, above

    @property
    def chain(self):
        """As x5c has it: the leaf first."""
        return [self.certificate, *self.above]

    @property
    def uri(self):
        names = self.certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]


class Authority:
    """A root, or an intermediate below one."""

    def __init__(self, certificate, key, above):
        self.certificate, self.key, self.above = certificate, key, above

    @classmethod
    def root(cls, title, key=None):
        key = key or ec_key()
        certificate = build(name(title), key.public_key(), name(title), key, key.public_key(), authority=(True, None))
        return cls(certificate, key, [])

    def below(self, title, key=None, path_length=None, authority=True, permitted=None, **options):
        """An intermediate. `permitted`: hosts of URIs that it may give out."""
        key = key or ec_key()
        constraints = permitted and x509.NameConstraints([x509.UniformResourceIdentifier(permitted)], None)
        certificate = self.signed(
            name(title), key.public_key(), authority=(authority, path_length), constraints=constraints, **options
        )
        return Authority(certificate, key, [certificate, *self.above])

    def leaf(self, uris, key=None, title="Leaf", **options):
        key = key or ec_key()
        uris = [uris] if isinstance(uris, str) else uris
        return Held(self.signed(name(title), key.public_key(), uris=uris, **options), key, self.above)

    def signed(self, subject, public_key, **options):
        return build(subject, public_key, self.certificate.subject, self.key, self.key.public_key(), **options)

    def crl(self, *revoked, key=None, life_s=3600, age_s=10, issuing_point=None, number=1):
        """A list with these certificates in it. `key`: whose signature is on it."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now() - timedelta(seconds=age_s))
            .next_update(now() + timedelta(seconds=life_s))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        if issuing_point:
            flags = dict.fromkeys(
                ["only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"],
                False,
            )
            point = x509.IssuingDistributionPoint(
                full_name=None, relative_name=None, only_some_reasons=None, **{**flags, issuing_point: True}
            )
            builder = builder.add_extension(point, critical=True)
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now() - timedelta(seconds=60)).build())
        return builder.sign(key or self.key, hashes.SHA256()).public_bytes(DER)

    def ocsp(self, held, status="good", by=None, about=None, age_s=10, life_s=3600):
        """An answer about `held`, or about another serial (`about`), by us or by a delegate."""
        certificate = held.certificate
        if about is not None:
            certificate = about.certificate
        is_revoked = status == "revoked"
        responder = by.certificate if by else self.certificate
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=certificate,
                issuer=self.certificate,
                algorithm=hashes.SHA256(),
                cert_status=getattr(ocsp.OCSPCertStatus, status.upper()),
                this_update=now() - timedelta(seconds=age_s),
                next_update=now() + timedelta(seconds=life_s),
                revocation_time=now() - timedelta(seconds=60) if is_revoked else None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        )
        if by:
            builder = builder.certificates([by.certificate])
        return builder.sign((by or self).key, hashes.SHA256()).public_bytes(DER)

    def delegate(self, **options):
        """Who may answer in our place."""
        return self.leaf(None, title="Responder", extended=ExtendedKeyUsageOID.OCSP_SIGNING, no_check=True, **options)


def build(
    subject,
    public_key,
    issuer,
    issuer_key,
    issuer_public_key,
    authority=None,
    uris=None,
    crl=None,
    ocsp_url=None,
    not_before=None,
    not_after=None,
    key_usage=None,
    extended=None,
    constraints=None,
    no_check=False,
    critical=None,
    sha1=False,
    bulk=0,
):
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before or now() - timedelta(days=1))
        .not_valid_after(not_after or now() + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public_key), critical=False)
    )
    is_authority, path_length = authority or (False, None)
    basic = x509.BasicConstraints(ca=is_authority, path_length=path_length if is_authority else None)
    builder = builder.add_extension(basic, critical=True)
    uses = key_usage or (["key_cert_sign", "crl_sign"] if authority else ["digital_signature"])
    builder = builder.add_extension(usage(*uses), critical=True)
    if uris:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
        builder = builder.add_extension(names, critical=False)
    if crl:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if ocsp_url:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp_url))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=False)
    if constraints:
        builder = builder.add_extension(constraints, critical=True)
    if no_check:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    for oid in [critical] if critical else []:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00")
        builder = builder.add_extension(extension, critical=True)
    if bulk:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.2"), b"\x04" * bulk)
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    return resigned_with_sha1(certificate, issuer_key) if sha1 else certificate


def resigned_with_sha1(certificate, key):
    """The library rightly makes no such certificate: the algorithm's last byte is changed, and RSA signs again."""
    sha256, sha1 = bytes.fromhex("06092a864886f70d01010b"), bytes.fromhex("06092a864886f70d010105")
    content = certificate.tbs_certificate_bytes
    changed = content.replace(sha256, sha1)
    signature = key.sign(changed, padding.PKCS1v15(), hashes.SHA1())
    whole = certificate.public_bytes(DER)
    assert len(signature) == len(certificate.signature) and content.count(sha256) == 1
    whole = whole.replace(content, changed).replace(certificate.signature, signature)
    whole = whole.replace(sha256, sha1)
    return x509.load_der_x509_certificate(whole)
