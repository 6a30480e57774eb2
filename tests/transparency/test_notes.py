"""Notes, checkpoints and keys as the specifications write them. That others can read them: `tests/verifier`."""

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tsunagi.transparency.notes import Checkpoint, Key, proof_file, signed

SUM_GOLANG_ORG = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
"""The key of the Go checksum database, as every Go toolchain has it."""


class Held:
    """A private key in memory."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, self._private.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        return self._private.sign(text)


LOG, OTHER = Held("log.example", b"l" * 32), Held("witness.example", b"w" * 32)
CHECKPOINT = Checkpoint("log.example", 70_000, bytes(range(32)))
NOTE = signed(CHECKPOINT.text(), LOG, OTHER)


def test_a_key_is_told_as_others_tell_theirs() -> None:
    typed = b64decode(SUM_GOLANG_ORG.split("+", 2)[2])
    assert str(Key("sum.golang.org", typed[1:])) == SUM_GOLANG_ORG


@pytest.mark.parametrize("name", ["", "a name", "a+name", "a\u3000name", "a\nname"])
def test_a_name_that_would_break_a_line_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name of a key"):
        Key(name, bytes(32))


def test_a_checkpoint_has_the_lines_of_the_specification() -> None:
    root = b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert Checkpoint("example.com/behind-the-sofa", 20_852_163, root).text() == example


def test_a_proof_file_has_the_lines_of_the_specification() -> None:
    text = proof_file(73_894, [bytes(32), bytes(range(32))], NOTE, extra=b"salt")
    assert text.startswith(
        "c2sp.org/tlog-proof@v1\nextra c2FsdA==\nindex 73894\n"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\nlog.example\n"
    )
    assert text.endswith(NOTE)
