"""A throw-away certificate authority and a server's certificate from it, made with the `openssl` command."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

LOOPBACK = ("DNS:localhost", "IP:127.0.0.1")
CONFIGURATION = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")  # a curve: RSA keys take a second


@dataclass(frozen=True)
class Certificate:
    """A server's certificate and key, and the authority that a client has to trust for it; all PEM files."""

    authority: Path
    certificate: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """What a server speaks TLS with."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        """What a client that trusts this authority and no other speaks TLS with."""
        return ssl.create_default_context(cafile=str(self.authority))


def make_certificate(folder: Path, names: tuple[str, ...] = LOOPBACK) -> Certificate:
    """
    A new authority and a certificate of it, both good for two days.

    `folder` is created where it is missing, and gets the files. `names` are those the certificate is for, with their
    kind (RFC 5280 §4.2.1.6): `DNS:mail.example.org`, `IP:127.0.0.1`.
    """
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is missing: Debian's package openssl brings it")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openssl.cnf").write_text(CONFIGURATION.format(names=",".join(names)), "utf-8")
    _request(folder, "ca", "/CN=Throw-away authority")
    _request(folder, "server", "/CN=Throw-away server", "-CA", "ca.pem", "-CAkey", "ca.key")
    return Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def _request(folder: Path, kind: str, subject: str, *signer: str) -> None:
    wanted = ["-x509", "-days", "2", "-subj", subject, "-extensions", kind, "-config", "openssl.cnf"]
    files = ["-keyout", f"{kind}.key", "-out", f"{kind}.pem"]
    subprocess.run(["openssl", "req", *wanted, *NEW_KEY, *files, *signer], cwd=folder, check=True, capture_output=True)
