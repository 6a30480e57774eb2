"""The command `tsunagi-witness`: a witness over HTTP."""

import argparse
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tsunagi_verifier.notes import MAX_NOTE_BYTES, Key
from tsunagi_verifier.refusals import Said, Unchecked
from tsunagi_verifier.trust import log_keys, read_kept, read_keys
from tsunagi_verifier.witness import Answer, Witness, alone, create

MAX_BODY_BYTES = MAX_NOTE_BYTES + 64 * 45 + 100
PATIENCE_SECONDS = 30


class Handler(BaseHTTPRequestHandler):
    """`POST /add-checkpoint`, and nothing else."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tsunagi-witness", ""
    timeout = PATIENCE_SECONDS
    witness: Witness

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._say(Answer(413 if length.isdigit() else 411))
            return
        body = self.rfile.read(int(length))
        try:
            self._say(self.witness.add_checkpoint(body) if self.path == "/add-checkpoint" else Answer(404))
        except Unchecked as failed:  # what cannot be kept is not signed
            self.log_error("%s", failed)
            self._say(Answer(503))

    def _say(self, answer: Answer) -> None:
        content = answer.content.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(witness: Witness, host: str, port: int) -> Iterator[str]:
    """Cosigns at the address until the block ends."""
    handler = type("Handler", (Handler,), {"witness": witness})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def logs_of(keys: Sequence[Key], origin: str | None) -> dict[str, tuple[Key, ...]]:
    """The keys of each log: the name of a key is that of its log, unless told."""
    found: dict[str, tuple[Key, ...]] = defaultdict(tuple)
    for key in log_keys(keys):
        found[origin or key.name] += (key,)
    return dict(found)


def main(arguments: Sequence[str] | None = None) -> int:
    said = _parser().parse_args(arguments)
    try:
        if said.what == "create":
            print(create(said.folder, said.name))
            return 0
        return _serve(said)
    except Said as ended:
        print(ended, file=sys.stderr)
        return 2


def _serve(said: argparse.Namespace) -> int:
    keys = read_kept(said.log)
    logs = logs_of(read_keys((keys or "").splitlines()), said.origin)
    if not logs:
        raise Unchecked("確かめるログの鍵がありません", "no key of a log was given")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with alone(said.folder):
        witness = Witness(said.folder, logs)
        with serving(witness, said.host, said.port) as url:
            print(f"{url}  {witness.key}", flush=True)
            stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tsunagi-witness",
        description="ログが伸びただけであることを確かめ、検証点に連署します（C2SP tlog-witness）。"
        " / Cosigns the checkpoints of logs that have only grown.",
    )
    what = parser.add_subparsers(dest="what", required=True)
    made = what.add_parser("create", help="フォルダーと鍵を作る / make its folder and key")
    made.add_argument("folder", type=Path)
    made.add_argument("name", help="証人の名。URLからhttps://を除いたもの / its name: a URL without https://")
    serve = what.add_parser("serve", help="動かす / run it")
    serve.add_argument("folder", type=Path)
    serve.add_argument(
        "--log", type=Path, required=True, help="ログの鍵のファイル / file with the keys of logs"
    )
    serve.add_argument(
        "--origin", help="ログの名。鍵の名と違うとき / the log's name, where its keys have another"
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8090)
    return parser


if __name__ == "__main__":
    sys.exit(main())
