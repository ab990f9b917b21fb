"""A certificate authority that signs a server certificate for whatever name is asked for."""

from __future__ import annotations

import datetime
import ssl
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Of a certificate: longer than any run.
_VALID = datetime.timedelta(days=30)
#: Of an operator's, as a seat makes it (userdata/lib/operator.sh).
_OPERATOR_VALID = datetime.timedelta(hours=12)
_PEM = serialization.Encoding.PEM


class Authority:
    """Servers' certificates, made as they are asked for. ``folder`` is where private keys may lie for a moment."""

    def __init__(self, folder: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._folder = folder
        self._certificate = certificate
        self._key = key
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    @classmethod
    def made(cls, folder: str, name: str, file: str) -> Authority:
        """A new one, for this process alone; its certificate is written to the file."""
        key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = _signed(_named(name), key.public_key(), _named(name), key, constraints)
        with open(file, "wb") as target:
            target.write(certificate.public_bytes(_PEM))
        return cls(folder, certificate, key)

    @classmethod
    def loaded(cls, folder: str, certificate: str, key: str) -> Authority:
        """One whose certificate and EC key are in PEM files."""
        with open(certificate, "rb") as file:
            loaded = x509.load_pem_x509_certificate(file.read())
        with open(key, "rb") as file:
            private = serialization.load_pem_private_key(file.read(), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key} is not an elliptic curve key")
        return cls(folder, loaded, private)

    def context(self, host: str) -> ssl.SSLContext:
        """A server's TLS context with the host's certificate."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._made_for(host)
            return self._contexts[host]

    def _made_for(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        certificate = _signed(_named(host), key.public_key(), self._certificate.subject, self._key, names)
        private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        # ssl reads certificates from files only.
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".pem") as file:
            file.write(private + certificate.public_bytes(_PEM))
            file.flush()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file.name)
        return context


def made_client(authority: str, name: str, group: str) -> tuple[bytes, bytes, bytes]:
    """Certificates of an authority and of its client, and the client's key, in PEM, as kubeadm makes them."""
    key = ec.generate_private_key(ec.SECP256R1())
    root, client = _client_of(authority, key.public_key(), name, [group])
    private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return root, client, private


def signed_request(authority: str, request: bytes, name: str, groups: list[str]) -> tuple[bytes, bytes]:
    """Certificates of an authority and of who asked for one by PKCS #10 (DER), in PEM.

    Raises ValueError if a seat would not sign it (userdata/commands/issue-certificate.sh).
    """
    asked = x509.load_der_x509_csr(request)
    public = asked.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise ValueError("the key must be of the elliptic curve P-256")
    if not asked.is_signature_valid:
        raise ValueError("the certificate request is not signed by its own key")
    return _client_of(authority, public, name, groups)


def _client_of(authority: str, public: ec.EllipticCurvePublicKey, name: str, groups: list[str]) -> tuple[bytes, bytes]:
    own = ec.generate_private_key(ec.SECP256R1())
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    root = _signed(_named(authority), own.public_key(), _named(authority), own, constraints)
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    client = _signed(subject, public, root.subject, own, usage, _OPERATOR_VALID)
    return root.public_bytes(_PEM), client.public_bytes(_PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _signed(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
    valid: datetime.timedelta = _VALID,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + valid)
        .add_extension(extension, critical=False)
        .sign(key, hashes.SHA256())
    )
