"""A witness over HTTP: growth is cosigned, rollback and fork are refused, and nothing is forgotten."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.transparency.test_notes import LOG, OTHER, Held
from tests.verifier.logs import Log, entries, serving
from tsunagi_verifier import Key, Refused, Server, Tree, open_checkpoint
from tsunagi_verifier.command import main
from tsunagi_verifier.cosigning import request
from tsunagi_verifier.notes import WITNESS, cosigned, signature_line
from tsunagi_verifier.refusals import Unchecked
from tsunagi_verifier.witness import SEEN, Witness, alone, create
from tsunagi_verifier.witnessing import main as witness_command
from tsunagi_verifier.witnessing import serving as witnessing

KNOWN = {LOG.key.name: (Key.read(str(LOG.key)),)}
NOW = 1_800_000_000
SMALL, LARGE, LARGER = Log(entries(100)), Log(entries(700)), Log(entries(800))
FORKED = Log([*entries(50), b"x" * 32, *entries(900)[51:]])


class Stand:
    """A witness in a folder, served."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = create(folder, "witness.example/w1")
        self.witness = Witness(folder, KNOWN, lambda: NOW)
        self.url = ""

    def add(self, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request("POST", path, body)
        answer = connection.getresponse()
        said = answer.status, answer.headers.get_content_type(), answer.read().decode()
        connection.close()
        return said


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(tmp_path / "witness")
    with witnessing(made.witness, "127.0.0.1", 0) as url:
        made.url = url
        yield made


def asked(log: Log, old: int) -> bytes:
    return request(log.note, Tree(log, log.checkpoint()), old)


def test_growth_is_cosigned(stand: Stand) -> None:
    for log, old in ((SMALL, 0), (LARGE, 100), (LARGE, 700), (LARGER, 700)):
        status, _, line = stand.add(asked(log, old))
        assert status == 200
        found = open_checkpoint(log.note + line, KNOWN[LOG.key.name], witnesses=[stand.key])
        assert (found.size, found.witnessed) == (log.size, (("witness.example/w1", NOW),))


def test_who_does_not_know_how_much_was_seen_is_told(stand: Stand) -> None:
    assert stand.add(asked(SMALL, 0))[0] == 200
    assert stand.add(asked(LARGE, 0)) == (409, "text/x.tlog.size", "100\n")
    assert stand.add(asked(LARGE, 100))[0] == 200


def test_rollback_is_refused(stand: Stand) -> None:
    stand.add(asked(LARGE, 0))
    for old in (0, 50, 100):
        assert stand.add(asked(SMALL, old)) == (409, "text/x.tlog.size", "700\n")
    assert stand.add(asked(SMALL, 0).replace(b"old 0", b"old 700"))[0] == 400


def test_a_fork_is_refused_and_kept_as_evidence(stand: Stand) -> None:
    stand.add(asked(SMALL, 0))
    assert stand.add(asked(FORKED, 100))[0] == 422
    twin = Log([*entries(99), b"x" * 32])
    assert stand.add(asked(twin, 100)) == (409, "text/x.tlog.size", "100\n")
    kept = "".join(path.read_text() for path in (stand.folder / "evidence").iterdir())
    assert all(log.note in kept for log in (SMALL, FORKED, twin))
    assert stand.add(asked(LARGE, 100))[0] == 200


def test_a_proof_of_something_else_is_refused(stand: Stand) -> None:
    stand.add(asked(SMALL, 0))
    good = asked(LARGE, 100).decode()
    lines = good.split("\n")
    for bad in (
        "\n".join([lines[0], *lines[2:]]),
        "\n".join([lines[0], lines[2], lines[1], *lines[3:]]),
        "\n".join([lines[0], b64encode(bytes(32)).decode(), *lines[1:]]),
    ):
        assert stand.add(bad.encode())[0] == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (asked(SMALL, 0).replace(b"old 0", b"old 00"), 400),
        (asked(SMALL, 0).replace(b"old 0", b"old -1"), 400),
        (asked(SMALL, 0).replace(b"old 0", b"new 0"), 400),
        (asked(SMALL, 0).replace(b"\n", b"\nAAAA\n", 1), 400),
        (asked(SMALL, 0).replace(b"\n", b"\n" + b64encode(bytes(32)) + b"\n", 1), 422),
        (asked(SMALL, 0).replace(b"\n", (b"\n" + b64encode(bytes(32))) * 64 + b"\n", 1), 400),
        (asked(SMALL, 0).replace(b"log.example\n", b"unknown.example\n"), 404),
        (asked(SMALL, 0).replace(b"\n100\n", b"\n101\n"), 403),
        (b"old 0\n\n" + Log(entries(3), OTHER).note.encode(), 403),
        (b"old 9\n\n" + Log(entries(3)).note.encode(), 400),
        (b"x" * 200_000, 413),
    ],
)
def test_what_is_no_checkpoint_of_a_known_log_is_refused(stand: Stand, body: bytes, status: int) -> None:
    assert stand.add(body)[0] == status
    assert json.loads((stand.folder / SEEN).read_text()) == {}


def test_nothing_else_is_served(stand: Stand) -> None:
    assert stand.add(asked(SMALL, 0), "/other")[0] == 404


def test_a_witness_remembers_after_a_restart_and_does_not_start_without_its_memory(stand: Stand) -> None:
    stand.add(asked(LARGE, 0))
    again = Witness(stand.folder, KNOWN)
    assert again.key == stand.key
    assert again.add_checkpoint(asked(SMALL, 0)).status == 409
    (stand.folder / SEEN).unlink()
    with pytest.raises(Unchecked):
        Witness(stand.folder, KNOWN)
    with pytest.raises(Unchecked):
        create(stand.folder, "witness.example/w1")


def test_what_cannot_be_kept_is_not_signed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.add(asked(SMALL, 0))

    def full(*_: object) -> None:
        raise Unchecked("満杯", "full")

    monkeypatch.setattr("tsunagi_verifier.witness.keep", full)
    assert stand.add(asked(LARGE, 100)) == (503, "text/plain", "")
    monkeypatch.undo()
    assert stand.add(asked(LARGER, 100))[0] == 200


def test_of_two_at_once_one_is_told_to_prove_more(stand: Stand) -> None:
    stand.add(asked(SMALL, 0))
    bodies = [asked(LARGE, 100), asked(LARGER, 100)] * 4
    said: list[int] = []
    threads = [threading.Thread(target=lambda one=one: said.append(stand.add(one)[0])) for one in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [200, *[409] * 7]


def test_only_one_process_is_the_witness(stand: Stand) -> None:
    with alone(stand.folder), pytest.raises(Unchecked), alone(stand.folder):
        pass


def test_the_key_is_its_owners(stand: Stand) -> None:
    assert (stand.folder / "key").stat().st_mode & 0o077 == 0
    assert stand.key.kind == WITNESS and Key.read(str(stand.key)) == stand.key


class Site:
    def __init__(self, folder: Path, log_url: str, stand: Stand) -> None:
        self.folder, self.stand, self.cosigned = folder, stand, folder / "cosigned"
        self.log = f"{log_url}/ledger"

    def shows(self, log: Log) -> None:
        log.write(self.folder / "ledger")

    def cosign(self) -> int:
        key = ["--key", str(LOG.key), "--witness", str(self.stand.key)]
        return main(["cosign", self.log, self.stand.url, *key, "--cosigned", str(self.cosigned)])


@pytest.fixture
def site(tmp_path: Path, stand: Stand) -> Iterator[Site]:
    with serving(tmp_path) as url:
        yield Site(tmp_path, url, stand)


def test_a_cosigned_checkpoint_can_be_required(site: Site) -> None:
    demand = ["--key", str(LOG.key), "--witness", str(site.stand.key)]
    for log in (SMALL, LARGE, LARGE, LARGER):
        site.shows(log)
        assert site.cosign() == 0
        assert main(["log", site.log, *demand]) == 1  # the log shows it without
        assert main(["log", site.log, *demand, "--checkpoint", str(site.cosigned)]) == 0
    stranger = ["--witness", str(Key.of("w2", LARGE.root, kind=WITNESS))]
    known = ["log", site.log, *demand, *stranger, "--checkpoint", str(site.cosigned)]
    assert main(known) == 1
    assert main([*known, "--quorum", "1"]) == 0
    assert main([*known, "--quorum", "3"]) == 2


def test_who_has_lost_the_file_goes_on_where_the_witness_is(site: Site) -> None:
    site.shows(SMALL)
    assert site.cosign() == 0
    site.cosigned.unlink()
    site.shows(LARGE)
    assert site.cosign() == 0


def test_rollback_and_fork_are_not_cosigned(site: Site) -> None:
    site.shows(LARGE)
    assert site.cosign() == 0
    had = site.cosigned.read_text()
    for log in (SMALL, FORKED):
        site.shows(log)
        assert site.cosign() == 1
        assert site.cosigned.read_text() == had
    site.cosigned.unlink()  # who has kept nothing is told by the witness
    for log in (SMALL, FORKED):
        site.shows(log)
        assert site.cosign() == 1
        assert not site.cosigned.exists()


def test_cosignatures_of_several_witnesses_come_together(site: Site, tmp_path: Path) -> None:
    site.shows(LARGE)
    second = Stand(tmp_path / "second")
    assert site.cosign() == 0
    with witnessing(second.witness, "127.0.0.1", 0) as second.url:
        first, site.stand = site.stand, second
        assert site.cosign() == 0
    both = ["--witness", str(first.key), "--witness", str(second.key)]
    checkpoint = ["--key", str(LOG.key), "--checkpoint", str(site.cosigned)]
    assert main(["log", site.log, *checkpoint, *both]) == 0


@pytest.mark.parametrize("answer", ["", "x\n", "— w AAAA\n", "another", "signature"])
def test_a_witness_that_answers_with_something_else_is_not_believed(site: Site, answer: str) -> None:
    """It says nothing about the log, either."""
    key = site.stand.key
    bad = {
        "another": signature_line(Key.of("w", bytes(32)), bytes(72)),
        "signature": signature_line(key, bytes(72)),
    }

    class Liar(SimpleHTTPRequestHandler):
        def do_POST(self) -> None:
            content = bad.get(answer, answer).encode()
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    site.shows(SMALL)
    with serving(site.folder, Liar) as site.stand.url:
        assert site.cosign() == 2
    assert not site.cosigned.exists()


def test_a_cosignature_of_another_time_or_text_is_refused() -> None:
    witness = Held("witness.example", b"w" * 32)
    key = Key.of(witness.key.name, witness.key.public, kind=WITNESS)
    text = LARGE.note.partition("\n\n")[0] + "\n"
    signature = witness.sign(cosigned(text, NOW))
    line = signature_line(key, NOW.to_bytes(8, "big") + signature)
    assert open_checkpoint(LARGE.note + line, KNOWN[LOG.key.name], witnesses=[key]).witnessed
    for other in (
        signature_line(key, (NOW + 1).to_bytes(8, "big") + signature),
        signature_line(key, NOW.to_bytes(8, "big") + witness.sign(text.encode())),
        signature_line(key, signature),
        signature_line(key, b"\x00"),
    ):
        with pytest.raises(Refused):
            open_checkpoint(LARGE.note + other, KNOWN[LOG.key.name], witnesses=[key])
    with pytest.raises(Refused):
        open_checkpoint(SMALL.note + line, KNOWN[LOG.key.name], witnesses=[key])


def test_the_command_needs_keys_and_a_witness(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{LOG.key}\n")
    for keys in ("none", "keys"):
        run = ["serve", str(tmp_path), "--log", str(tmp_path / keys), "--port", "0"]
        assert witness_command(run) == 2


def test_the_command_serves_until_it_is_ended(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"# the log\n{LOG.key}\n")
    run = [sys.executable, "-m", "tsunagi_verifier.witnessing"]
    folder = str(tmp_path / "w")
    made = subprocess.run([*run, "create", folder, "w.example"], capture_output=True, text=True, check=True)
    with subprocess.Popen(
        [*run, "serve", folder, "--log", str(tmp_path / "keys"), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as serve:
        assert serve.stdout is not None
        url, _, key = serve.stdout.readline().strip().partition("  ")
        assert key == made.stdout.strip()
        answer = Server(url)
        status, _, line = answer.post("add-checkpoint", asked(SMALL, 0))
        answer.close()
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(20) == 0
    assert status == 200
    assert open_checkpoint(SMALL.note + line.decode(), KNOWN[LOG.key.name], witnesses=[Key.read(key)])
