"""Keys, notes and checkpoints as their reader takes them: what the service writes, what others write, nothing else."""

from base64 import b64encode

import pytest

from tests.transparency.test_notes import CHECKPOINT, LOG, NOTE, OTHER, SUM_GOLANG_ORG, Held
from tsunagi.transparency.notes import signature_line, signed
from tsunagi_verifier import Checkpoint, Key, Refused, open_checkpoint

OF_LOG, OF_OTHER = Key.read(str(LOG.key)), Key.read(str(OTHER.key))
STRANGER = Key.read(str(Held("stranger.example", b"s" * 32).key))
READ = Checkpoint(CHECKPOINT.origin, CHECKPOINT.size, CHECKPOINT.root)


def test_a_key_is_read_as_others_write_it() -> None:
    key = Key.read(SUM_GOLANG_ORG)
    assert (key.name, key.id.hex()) == ("sum.golang.org", "033de0ae")


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
    with pytest.raises(Refused):
        Key.read(text)


def test_a_note_is_opened_by_any_of_its_signers_and_by_nobody_else() -> None:
    assert open_checkpoint(NOTE, [OF_LOG]) == READ
    assert open_checkpoint(NOTE, [OF_OTHER, STRANGER], origin=LOG.key.name) == READ
    others = Key("log.example", OF_LOG.id, STRANGER.public), Key("other.example", OF_LOG.id, OF_LOG.public)
    for keys in ([], [STRANGER], *([one] for one in others)):
        with pytest.raises(Refused):
            open_checkpoint(NOTE, keys, origin=LOG.key.name)


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
            with pytest.raises(Refused):
                open_checkpoint(text, [OF_LOG])


def test_a_signature_that_a_known_key_did_not_make_spoils_the_note() -> None:
    forged = NOTE + signature_line(LOG.key, bytes(64))
    with pytest.raises(Refused):
        open_checkpoint(forged, [OF_LOG])
    assert open_checkpoint(forged, [OF_OTHER], origin=LOG.key.name) == READ


def test_lines_behind_the_third_are_the_logs_business_but_never_empty() -> None:
    assert open_checkpoint(signed(CHECKPOINT.text() + "more\n", LOG), [OF_LOG]) == READ
    with pytest.raises(Refused):
        open_checkpoint(signed(CHECKPOINT.text() + "\nmore\n", LOG), [OF_LOG])


@pytest.mark.parametrize("size", ["", "-1", "+1", "007", "1e3", "１", " 1", "1 "])
def test_a_size_is_a_plain_number(size: str) -> None:
    with pytest.raises(Refused):
        open_checkpoint(signed(CHECKPOINT.text().replace("70000", size), LOG), [OF_LOG])


@pytest.mark.parametrize("text", ["\n", "log.example\n1\n", "log.example\n1\nAAAA\n", CHECKPOINT.text()[:-1]])
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        open_checkpoint(signed(text, LOG), [OF_LOG])
