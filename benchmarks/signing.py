"""What a DKIM signature costs, against OpenSSL's bare signature and the SHA-256 of the body."""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.measure import Result, cpu_seconds, paired
from benchmarks.sample import PUBLICATION, issue, readers
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.dkim import Signer
from newsletter.render.message import fill
from newsletter.render.size import full_edition
from newsletter.render.theme import load_theme
from subscribers.topics import Catalogue

STORIES = 6
"""So many make a message of some 50 kB."""
TIMES = 400
_PEM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing() -> Result:
    """The ratio of CPU per message, RSA-2048 on both sides, and both in microseconds."""
    told, theme, (_, recipient) = issue(STORIES), load_theme(), readers(1)[0]
    compiled = compile_issue(told, theme=theme, language="zh", topics=Catalogue(), publication=PUBLICATION)
    data = fill(assemble(compiled, full_edition(told)), recipient).data
    body = data.partition(b"\r\n\r\n")[2]
    rsa, ed25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    pem, other = (key.private_bytes(*_PEM).decode() for key in (rsa, ed25519))
    signer, both = Signer.load("example.org", "s1", pem), Signer.load("example.org", "s1", pem, "e1", other)
    padding, prehashed = PKCS1v15(), Prehashed(SHA256())

    def timed(signer: Signer) -> float:
        return cpu_seconds(lambda: [signer.sign(data, recipient.date) for _ in range(TIMES)]) / TIMES

    def bare() -> float:
        return cpu_seconds(lambda: [rsa.sign(sha256(body).digest(), padding, prehashed) for _ in range(TIMES)]) / TIMES

    ratio, floor, our = paired(bare, lambda: timed(signer))
    detail = (
        f"{our * 1e6:.0f} µs against {floor * 1e6:.0f} µs, {len(data) / 1000:.1f} kB, CPU time; "
        f"with Ed25519 beside it {timed(both) * 1e6:.0f} µs"
    )
    return Result("DKIM signature, per message", ratio, "at most 2 times the bare signature", ratio <= 2, detail)
