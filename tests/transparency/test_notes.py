"""Notes, checkpoints and keys, with the examples of their specifications and of the Go checksum database."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tsunagi.transparency.notes import Checkpoint, Key, NoteRefused, opened, proof_file, signed

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


def test_a_key_is_read_as_others_write_it() -> None:
    key = Key.read(SUM_GOLANG_ORG)
    assert (key.name, key.id.hex(), str(key)) == ("sum.golang.org", "033de0ae", SUM_GOLANG_ORG)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sum.golang.org",
        SUM_GOLANG_ORG.replace("033de0ae", "033de0af"),
        SUM_GOLANG_ORG.replace("sum.", "sun."),
        SUM_GOLANG_ORG[:-4],
        SUM_GOLANG_ORG.replace("+Ac4", "+Bc4"),
        "+" + SUM_GOLANG_ORG,
        "a name+00000000+" + b64encode(b"\x01" + bytes(32)).decode(),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        Key.read(text)


def test_a_note_is_opened_by_any_of_its_signers_and_by_nobody_else() -> None:
    stranger = Held("stranger.example", b"s" * 32).key
    assert opened(NOTE, [LOG.key]) == opened(NOTE, [OTHER.key, stranger]) == CHECKPOINT.text()
    for keys in (
        [],
        [stranger],
        [Key("log.example", stranger.public)],
        [Key("other.example", LOG.key.public)],
    ):
        with pytest.raises(NoteRefused):
            opened(NOTE, keys)


def test_a_note_with_any_byte_changed_is_refused() -> None:
    raw = signed(CHECKPOINT.text(), LOG).encode()
    for place in range(len(raw)):
        for bit in (0x01, 0x20):
            changed = bytearray(raw)
            changed[place] ^= bit
            try:
                text = bytes(changed).decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(NoteRefused):
                opened(text, [LOG.key])


def test_a_signature_that_a_known_key_did_not_make_spoils_the_note() -> None:
    forged = NOTE + f"— {LOG.key.name} {b64encode(LOG.key.id + bytes(64)).decode()}\n"
    with pytest.raises(NoteRefused):
        opened(forged, [LOG.key])
    assert opened(forged, [OTHER.key]) == CHECKPOINT.text()


def test_a_text_may_have_empty_lines() -> None:
    note = signed("one\n\ntwo\n", LOG)
    assert opened(note, [LOG.key]) == "one\n\ntwo\n"


def test_a_checkpoint_is_read_as_it_is_written() -> None:
    assert Checkpoint.read(CHECKPOINT.text()) == CHECKPOINT
    assert Checkpoint.read(CHECKPOINT.text() + "more\n") == CHECKPOINT
    example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    read = Checkpoint.read(example)
    assert (read.origin, read.size, read.text()) == ("example.com/behind-the-sofa", 20_852_163, example)
    assert read.root == b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")


@pytest.mark.parametrize("size", ["", "-1", "+1", "007", "1e3", "１", " 1", "1 "])
def test_a_size_is_a_plain_number(size: str) -> None:
    with pytest.raises(NoteRefused):
        Checkpoint.read(CHECKPOINT.text().replace("70000", size))


@pytest.mark.parametrize("text", ["", "log.example\n1\n", "log.example\n1\nAAAA\n", CHECKPOINT.text()[:-1]])
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        Checkpoint.read(text)


def test_a_proof_file_has_the_lines_of_the_specification() -> None:
    text = proof_file(73_894, [bytes(32), bytes(range(32))], NOTE, extra=b"salt")
    assert text.startswith(
        "c2sp.org/tlog-proof@v1\nextra c2FsdA==\nindex 73894\n"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\nlog.example\n"
    )
    assert text.endswith(NOTE)
