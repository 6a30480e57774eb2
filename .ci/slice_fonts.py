"""Cuts the fonts of paper into the slices that the pages load, and writes fonts.css beside them.

    python -m venv /somewhere && /somewhere/bin/pip install fonttools==4.68.0 brotli==1.2.1
    /somewhere/bin/python .ci/slice_fonts.py

A page loads only the slices whose characters it shows. What is common is what this repository itself writes in
Japanese: the words of the pages, the titles of the schemas, and made-up names and records.
"""

import hashlib
import subprocess
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "service" / "tsunagi" / "paper" / "fonts"
TARGET = ROOT / "service" / "tsunagi" / "web" / "static" / "fonts"
WEIGHTS = {"Regular": 400, "Bold": 700}
WRITTEN = (".md", ".py", ".json", ".yaml", ".typ", ".html", ".css", ".js", ".csv")
SIGNS = {ord(sign) for sign in "–—−…•→←↑↓✓✕⚠"}


def written_here() -> set[int]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607
    paths = [ROOT / name for name in listed.stdout.splitlines() if name.endswith(WRITTEN)]
    texts = [path.read_text("utf-8") for path in paths if path.parent != TARGET]
    return {ord(character) for text in texts for character in text} | SIGNS


def in_code_page(character: str, encoding: str) -> bytes:
    try:
        return character.encode(encoding)
    except UnicodeEncodeError:
        return b""


def slice_of(code: int, common: set[int]) -> str:
    character = chr(code)
    if code < 0x2E80 or 0x3000 <= code < 0x3400 or 0xFF00 <= code < 0x10000:
        return "kana" if in_code_page(character, "cp932") or code < 0x0250 or code in common else "signs"
    if code in common:
        return "common"
    standard = in_code_page(character, "euc_jp")
    if len(standard) == 2:
        return "level2" if standard[0] - 0xA0 >= 48 else "level1"
    if in_code_page(character, "cp932"):
        return "names"
    return "rare" if code < 0x10000 else "rarest"


def ranges(codes: list[int], held: set[int]) -> str:
    """Short: a range may run over characters that the font does not have."""
    found: list[list[int]] = []
    for code in codes:
        gap = range(found[-1][1] + 1, code) if found else range(0)
        if found and len(gap) <= 64 and held.isdisjoint(gap):
            found[-1][1] = code
        else:
            found.append([code, code])
    return ",".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in found)


def cut(weight: str, codes: list[int], target: Path) -> None:
    options = subset.Options(flavor="woff2", notdef_outline=True)
    font = subset.load_font(str(SOURCES / f"NotoSansJP-{weight}.ttf"), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    subset.save_font(font, str(target), options)


def main() -> None:
    common, faces = written_here(), ["/* Written by .ci/slice_fonts.py; license in OFL.txt. */\n"]
    for weight, number in WEIGHTS.items():
        slices: dict[str, list[int]] = {}
        held = set(TTFont(SOURCES / f"NotoSansJP-{weight}.ttf").getBestCmap())
        for code in sorted(held):
            slices.setdefault(slice_of(code, common), []).append(code)
        for name, codes in slices.items():
            target = TARGET / f"noto-sans-jp-{number}-{name}.woff2"
            cut(weight, codes, target)
            digest = hashlib.sha256(target.read_bytes()).hexdigest()[:12]
            faces.append(
                "@font-face {\n"
                '  font-family: "Noto Sans JP";\n'
                f"  font-weight: {number};\n"
                "  font-display: swap;\n"
                f'  src: url("{target.name}?v={digest}") format("woff2");\n'
                f"  unicode-range: {ranges(codes, held)};\n"
                "}\n"
            )
            print(target.name, len(codes), target.stat().st_size)
    (TARGET / "fonts.css").write_text("\n".join(faces), "utf-8")


if __name__ == "__main__":
    main()
