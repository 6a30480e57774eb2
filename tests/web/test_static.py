"""What the pages load is what the README beside it says, and shows every name."""

import hashlib
import re
from pathlib import Path

import httpx2
import pytest
from fontTools.ttLib import TTFont

from tests.world import ROOT
from tsunagi.web.static_files import asset

STATIC = ROOT / "service" / "tsunagi" / "web" / "static"
PAPER = ROOT / "service" / "tsunagi" / "paper" / "fonts"
FACE = re.compile(r'font-weight: (\d+);.*?url\("([^?]+)\?v=(\w+)"\).*?unicode-range: ([^;]+);', re.DOTALL)


def ours(name: str) -> bool:
    """What is written here stands at the top; what others wrote is minified, or lies below."""
    return name == "README.md" or (
        "/" not in name and ".min." not in name and name.endswith((".css", ".js", ".svg"))
    )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_everything_of_others_is_what_was_taken() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (STATIC / "README.md").read_text(), re.MULTILINE
    )
    files = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
    assert dict(rows) == {name: sha256(path) for name, path in files.items() if not ours(name)}


def codes(ranges: str) -> set[int]:
    found: set[int] = set()
    for one in ranges.split(","):
        first, _, last = one.removeprefix("U+").partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


@pytest.mark.parametrize(("name", "weight"), [("Regular", 400), ("Bold", 700)])
def test_each_character_of_the_font_is_in_exactly_the_slice_that_says_so(name: str, weight: int) -> None:
    whole = set(TTFont(PAPER / f"NotoSansJP-{name}.ttf").getBestCmap())
    assert {ord(character) for character in "髙﨑𠮷㈱①あア漢"} <= whole
    seen: set[int] = set()
    for number, file, digest, ranges in FACE.findall((STATIC / "fonts" / "fonts.css").read_text()):
        if int(number) != weight:
            continue
        path = STATIC / "fonts" / file
        assert sha256(path).startswith(digest)
        said = codes(ranges)
        assert said.isdisjoint(seen)
        assert set(TTFont(path).getBestCmap()) == said & whole
        seen |= said
    assert seen >= whole


def test_the_fonts_are_small_enough_to_be_kept_here() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*.woff2")) < 6_000_000


async def test_a_file_is_kept_for_ever_under_its_own_hash_alone(http: httpx2.AsyncClient) -> None:
    present = await http.get(asset("tsunagi.css"))
    assert present.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert present.headers["content-type"] == "text/css; charset=utf-8"
    for other in ("/static/tsunagi.css", "/static/tsunagi.css?v=0123456789ab"):
        answer = await http.get(other)
        assert answer.content == present.content
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["site.py", "../site.py", "%2e%2e/site.py", "fonts", "%00", ""])
async def test_only_what_pages_load_is_served(http: httpx2.AsyncClient, path: str) -> None:
    assert (await http.get("/static/" + path)).status_code == 404
