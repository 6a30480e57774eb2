"""Where a log is read from: a server, or a folder into which its files were copied."""

import http.client
import random
import ssl
import time
import urllib.request
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from tsunagi_verifier.notes import MAX_NOTE_BYTES
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.tiles import Piece, cut

ATTEMPTS = 6
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 60.0
TIMEOUT_SECONDS = 30.0
AGAIN = {408, 425, 429, 500, 502, 503, 504}
AGENT = "tsunagi-verifier"


class Missing(Unchecked):
    """The log answers that it does not have this."""


class Source(Protocol):
    name: str

    def text(self, path: str) -> str:
        """A checkpoint or a list of keys, as it is now. Raises Unchecked."""

    def piece(self, piece: Piece) -> bytes:
        """What the log shows as this piece. Raises Unchecked."""

    def pieces(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bytes]]:
        """The pieces in this order, each as `piece` has it."""

    def close(self) -> None: ...


class Folder:
    """A copy of a log's files, or a log that is a folder."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = str(path), path

    def text(self, path: str) -> str:
        return as_text(path, self._read(path, MAX_NOTE_BYTES))

    def piece(self, piece: Piece) -> bytes:
        try:
            return self._read(piece.path, piece.max_bytes)
        except Missing:
            if piece.fallback is None:
                raise
            return cut(piece, self._read(piece.fallback, piece.max_bytes))

    def pieces(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bytes]]:
        return ((piece, self.piece(piece)) for piece in pieces)

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, path: str, at_most: int) -> bytes:
        try:
            with (self._path / path).open("rb") as file:
                return file.read(at_most + 1)
        except FileNotFoundError:
            raise Missing(f"{path} がありません", f"{path} is not there") from None
        except OSError as error:
            raise Unchecked(f"{path} を読めません", f"{path} cannot be read: {error.strerror}") from None


class Server:
    """A log behind a URL. Asks over a few connections at once, and again after a while where it is told to wait."""

    def __init__(self, url: str, *, parallel: int = 8, attempts: int = ATTEMPTS) -> None:
        self.name = url.rstrip("/")
        self._url, self._parallel, self._attempts = urlsplit(self.name), parallel, attempts
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise Unchecked(f"URLではありません: {url}", f"not a URL: {url}")
        self._free: deque[http.client.HTTPConnection] = deque()
        self._connect, self._prefix = _way(self._url)

    def text(self, path: str) -> str:
        return as_text(path, self._get(path, MAX_NOTE_BYTES, {"Cache-Control": "no-cache"}))

    def piece(self, piece: Piece) -> bytes:
        try:
            return self._get(piece.path, piece.max_bytes)
        except Missing:
            if piece.fallback is None:
                raise
            return cut(piece, self._get(piece.fallback, piece.max_bytes))

    def pieces(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bytes]]:
        ahead: deque[tuple[Piece, Future[bytes]]] = deque()
        pool = ThreadPoolExecutor(self._parallel, thread_name_prefix="fetch")
        try:
            for piece in pieces:
                ahead.append((piece, pool.submit(self.piece, piece)))
                if len(ahead) >= 2 * self._parallel:
                    yield (due := ahead.popleft())[0], due[1].result()
            while ahead:
                yield (due := ahead.popleft())[0], due[1].result()
        finally:
            pool.shutdown(cancel_futures=True)

    def post(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, type and content of the answer, asked for once. Raises Unchecked."""
        try:
            answer, content = self._ask("POST", path, MAX_NOTE_BYTES, {"Content-Type": "text/plain"}, body)
        except (OSError, http.client.HTTPException, zlib.error) as error:
            raise self._unreached(path, type(error).__name__) from None
        return answer.status, answer.headers.get_content_type(), content

    def close(self) -> None:
        while self._free:
            self._free.pop().close()

    def _get(self, path: str, at_most: int, headers: dict[str, str] | None = None) -> bytes:
        said = ""
        for attempt in range(self._attempts):
            spread = random.uniform(0.5, 1.5)  # noqa: S311  so that callers do not come back together; no secret
            wait = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt * spread)
            try:
                answer, content = self._ask("GET", path, at_most, headers or {})
            except (OSError, http.client.HTTPException, zlib.error) as error:
                said = type(error).__name__
            else:
                if answer.status == 200:
                    return content
                if answer.status not in AGAIN:
                    raise self._refusal(path, answer)
                said, wait = str(answer.status), _told(answer, wait)
            if attempt + 1 < self._attempts:
                time.sleep(wait)
        raise self._unreached(path, said)

    def _ask(
        self, method: str, path: str, at_most: int, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """An answer and its content; a byte more than `at_most` shows that there is more."""
        told = {"User-Agent": AGENT, "Accept-Encoding": "gzip, identity", **headers}
        try:
            connection = self._free.pop()  # kept from request to request
        except IndexError:
            connection = self._connect()
        try:
            connection.request(method, f"{self._prefix}{self._url.path}/{path}", body, told)
            answer = connection.getresponse()
            content = answer.read(at_most + 1)
            if answer.length and len(content) <= at_most:
                raise http.client.IncompleteRead(content, answer.length)
        except BaseException:
            connection.close()
            raise
        if answer.isclosed():
            self._free.append(connection)
        else:
            connection.close()
        if answer.headers.get("Content-Encoding", "").lower() == "gzip":
            content = zlib.decompressobj(wbits=31).decompress(content, at_most + 1)
        return answer, content

    def _refusal(self, path: str, answer: http.client.HTTPResponse) -> Unchecked:
        if answer.status in (404, 410):
            return Missing(
                f"{self.name}/{path} がありません({answer.status})",
                f"{self.name}/{path} is not there ({answer.status})",
            )
        where = answer.headers.get("Location", "")
        return Unchecked(
            f"{self.name}/{path} が {answer.status} を返しました {where}".rstrip(),
            f"{self.name}/{path} answers {answer.status} {where}".rstrip(),
        )

    def _unreached(self, path: str, said: str) -> Unchecked:
        return Unchecked(
            f"{self.name}/{path} を取得できません({said})", f"{self.name}/{path} cannot be had ({said})"
        )


def source(where: str, *, parallel: int = 8) -> Source:
    """A log by its URL, or by the folder that holds a copy."""
    return Server(where, parallel=parallel) if "://" in where else Folder(Path(where))


def _way(url: SplitResult) -> tuple[Callable[[], http.client.HTTPConnection], str]:
    """How to connect to the host, through the proxy of the environment where there is one, and what paths begin with
    on such a connection."""
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(url.scheme)
    via = urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
    to = (via.hostname or "", via.port or 80) if via else (host, port)
    if url.scheme == "http":
        prefix = f"http://{url.netloc}" if via else ""
        return lambda: http.client.HTTPConnection(*to, timeout=TIMEOUT_SECONDS), prefix
    trusted = ssl.create_default_context()

    def secure() -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection(*to, timeout=TIMEOUT_SECONDS, context=trusted)
        if via:
            connection.set_tunnel(host, port)
        return connection

    return secure, ""


def _told(answer: http.client.HTTPResponse, wait: float) -> float:
    """How long the server wants to be left alone, if it says so in seconds."""
    after = answer.headers.get("Retry-After", "")
    return (
        min(LONGEST_PAUSE_SECONDS, max(wait, float(after))) if after.isascii() and after.isdigit() else wait
    )


def as_text(path: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused(f"{path} が文字として読めません", f"{path} is not UTF-8") from None
