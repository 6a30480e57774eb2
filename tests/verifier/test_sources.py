"""Reading from a server that is slow, busy, broken or wrong: what could not be had is never called wrong."""

import gzip
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.transparency.test_notes import LOG
from tests.verifier.logs import Log, entries, serving
from tsunagi_verifier import Server, Tree, sources
from tsunagi_verifier.command import main
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.sources import Missing
from tsunagi_verifier.tiles import Piece

BUNDLE = Piece(None, 0)


class Moody(SimpleHTTPRequestHandler):
    """Serves files, but for what `mood` does instead."""

    protocol_version = "HTTP/1.1"
    mood: Callable[["Moody", int], bool] = staticmethod(lambda *_: False)
    asked: Counter[str]
    connections: set[object]

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.asked[path] += 1
        self.connections.add(self.client_address)
        if not type(self).mood(self, self.asked[path]):
            super().do_GET()

    def answer(self, status: int, content: bytes = b"", **headers: str) -> bool:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)
        return True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Stage:
    def __init__(self, url: str, handler: type[Moody]) -> None:
        self.url, self.handler = url, handler

    def plays(self, mood: Callable[[Moody, int], bool]) -> None:
        self.handler.mood = staticmethod(mood)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(sources, "FIRST_PAUSE_SECONDS", 0.01)
    Log(entries(2_000)).write(tmp_path)
    handler = type("Mood", (Moody,), {"asked": Counter(), "connections": set()})
    with serving(tmp_path, handler) as url:
        yield Stage(url, handler)


@pytest.fixture
def server(stage: Stage) -> Iterator[Server]:
    server = Server(stage.url, attempts=3)
    yield server
    server.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(stage: Stage, server: Server, status: int) -> None:
    stage.plays(lambda asked, times: times < 3 and asked.answer(status))
    assert len(server.piece(BUNDLE)) == 34 * 256
    assert stage.handler.asked["tile/entries/000"] == 3


def test_it_is_left_alone_for_as_long_as_it_says(stage: Stage, server: Server) -> None:
    stage.plays(lambda asked, times: times < 2 and asked.answer(429, Retry_After="1"))
    began = time.monotonic()
    server.piece(BUNDLE)
    assert time.monotonic() - began >= 1


def test_a_server_that_stays_busy_is_given_up(stage: Stage, server: Server) -> None:
    stage.plays(lambda asked, _: asked.answer(503))
    with pytest.raises(Unchecked, match="503"):
        server.piece(BUNDLE)
    assert stage.handler.asked["tile/entries/000"] == 3


def test_what_is_not_there_is_not_asked_for_again(stage: Stage, server: Server) -> None:
    with pytest.raises(Missing):
        server.piece(Piece(None, 700))
    assert list(stage.handler.asked.values()) == [1]


def test_half_an_answer_is_none(stage: Stage, server: Server) -> None:
    def half(asked: Moody, times: int) -> bool:
        asked.answer(200, bytes(100), Content_Length=str(34 * 256))
        asked.close_connection = True
        return True

    stage.plays(half)
    with pytest.raises(Unchecked, match="IncompleteRead"):
        server.piece(BUNDLE)


def test_more_than_a_piece_can_be_is_not_read_on(stage: Stage, server: Server) -> None:
    stage.plays(lambda asked, _: asked.answer(200, bytes(50_000)))
    assert len(server.piece(Piece(0, 0))) == 256 * 32 + 1
    stage.plays(lambda asked, _: asked.answer(200, gzip.compress(bytes(5_000_000)), Content_Encoding="gzip"))
    assert len(server.piece(Piece(0, 0))) == 256 * 32 + 1


def test_compressed_answers_are_read(stage: Stage, server: Server) -> None:
    bundle = server.piece(BUNDLE)
    stage.plays(lambda asked, _: asked.answer(200, gzip.compress(bundle), Content_Encoding="gzip"))
    assert server.piece(BUNDLE) == bundle


def test_a_server_elsewhere_is_named_and_not_followed(stage: Stage, server: Server) -> None:
    stage.plays(lambda asked, _: asked.answer(301, Location="https://elsewhere.example/"))
    with pytest.raises(Unchecked, match=r"elsewhere\.example"):
        server.text("checkpoint")


def test_nobody_there_is_unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "FIRST_PAUSE_SECONDS", 0.01)
    server = Server("http://127.0.0.1:9", attempts=1)
    with pytest.raises(Unchecked, match="ConnectionRefused"):
        server.text("checkpoint")
    assert main(["log", "http://127.0.0.1:9/ledger", "--key", str(LOG.key), "--json"]) == 2


@pytest.mark.parametrize("url", ["ftp://log.example/", "https://", "http:///ledger"])
def test_what_is_no_url_is_unchecked(url: str) -> None:
    assert main(["log", url, "--key", str(LOG.key)]) == 2


def test_what_is_not_text_is_no_checkpoint(stage: Stage, server: Server) -> None:
    stage.plays(lambda asked, _: asked.answer(200, b"\xff\xfe"))
    with pytest.raises(Refused):
        server.text("checkpoint")


def test_a_few_connections_are_enough_and_are_kept(stage: Stage) -> None:
    busy, most = threading.Semaphore(0), []

    def counted(_: Moody, __: int) -> bool:
        busy.release()
        most.append(busy._value)
        time.sleep(0.005)
        busy.acquire()
        return False

    stage.plays(counted)
    server = Server(stage.url, parallel=4)
    log = Log(entries(2_000))
    Tree(server, log.checkpoint()).walk()
    server.close()
    assert len(stage.handler.connections) <= 4 >= max(most) > 1
    assert sum(stage.handler.asked.values()) == len(log.files) - 1


def test_walking_ends_with_the_first_that_is_wrong(stage: Stage) -> None:
    log = Log(entries(2_000))
    stage.plays(lambda asked, _: "entries/001" in asked.path and asked.answer(200, bytes(34 * 256)))
    server = Server(stage.url, parallel=2)
    with pytest.raises(Refused):
        Tree(server, log.checkpoint()).walk()
    server.close()
    assert stage.handler.asked["tile/entries/007.p/208"] == 0


def test_a_proxy_of_the_environment_is_used(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", stage.url)
    monkeypatch.delenv("no_proxy", raising=False)
    server = Server("http://log.example/ledger", attempts=1)
    with pytest.raises(Missing):
        server.text("checkpoint")
    server.close()
    assert list(stage.handler.asked) == ["http://log.example/ledger/checkpoint"]
