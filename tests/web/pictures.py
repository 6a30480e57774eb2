"""Made-up timelines, as the API answers them, and what can be seen on their pictures."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"
TODAY = date(2026, 11, 20)
NAMES = (
    "就労移行支援事業所 あおぞら（架空）",
    "就労定着支援 ひばり<b>&\"'（架空）",
    "Center",
    "長" * 200,
    "ｱ",
)
KINDS = ("follow_up_ends", "settlement_starts", "conference_due", "window_opens", "service_ends")
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def organization(name: str) -> dict[str, str]:
    return {"id": "01930000-0000-7000-8000-00000000a001", "name": name}


def line(name: str | None, first: str, end: str | None, **more: str) -> dict[str, Any]:
    return {"organization": name and organization(name), "from": first, "to": end} | more


def chain(domain: str, *segments: dict[str, Any], support: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"domain": domain, "segments": list(segments), "support": list(support)}


def answer(
    *domains: dict[str, Any], as_of: str = "2026-11-20", known_at: str = "2026-11-20T09:00:00+09:00"
) -> Any:
    """What getResponsibility answers, as far as pictures are made of it."""
    return {"asOf": as_of, "knownAt": known_at, "domains": list(domains), "findings": []}


@st.composite
def chains(draw: st.DrawFn, domain: str) -> dict[str, Any]:
    starts = sorted(draw(st.sets(DAYS, min_size=1, max_size=12)))
    holders = [draw(st.sampled_from((*NAMES, None))) for _ in starts]
    ends = [*(day.isoformat() for day in starts[1:]), None]
    segments = [line(*one) for one in zip(holders, (day.isoformat() for day in starts), ends, strict=True)]
    return chain(domain, *segments, support=tuple(draw(st.lists(supports(), max_size=6))))


@st.composite
def supports(draw: st.DrawFn) -> dict[str, Any]:
    first = draw(DAYS)
    end = draw(st.none() | st.integers(1, 2000).map(lambda days: (first + timedelta(days=days)).isoformat()))
    role = draw(st.sampled_from(("co_support", "backup")))
    return line(draw(st.sampled_from(NAMES)), first.isoformat(), end, role=role)


def answers() -> st.SearchStrategy[Any]:
    """Of one to three domains, asked about some day as known on some other."""
    return st.builds(
        lambda domains, as_of, known: answer(
            *domains, as_of=as_of.isoformat(), known_at=f"{known}T09:00:00+09:00"
        ),
        st.tuples(chains("employment"), chains("daily_life"), chains("employer_liaison")).flatmap(
            lambda all_of: st.integers(1, 3).map(lambda count: all_of[:count])
        ),
        DAYS,
        DAYS,
    )


MILESTONES = st.lists(
    st.builds(
        lambda kind, day, overdue: {"kind": kind, "date": day.isoformat(), "overdue": overdue},
        st.sampled_from(KINDS),
        DAYS,
        st.booleans(),
    ),
    max_size=25,
)


@dataclass(frozen=True)
class Box:
    text: str
    left: float
    right: float
    base: float

    def meets(self, other: "Box") -> bool:
        return self.base == other.base and self.left < other.right and other.left < self.right


def written(svg: str) -> list[Box]:
    """All that can be read on a picture, and where. Latin letters of the page's font are 0.55 em wide on average."""

    def width(char: str) -> float:
        return 1 if unicodedata.east_asian_width(char) in "WF" else 0.55

    found = []
    for one in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        text, x, size = one.text or "", float(one.attrib["x"]), float(one.attrib["font-size"])
        found.append(Box(text, x, x + size * sum(map(width, text)), float(one.attrib["y"])))
    return found


def crossed(svg: str) -> list[Box]:
    """The names above and below the lanes through which the line of a day runs."""
    root = ElementTree.fromstring(svg)
    rects = [one.attrib for one in root.findall(f"{SVG}g[@class='bars']/{SVG}g/{SVG}rect")]
    first = min(float(one["y"]) for one in rects)
    last = max(float(one["y"]) + float(one["height"]) for one in rects)
    lines = root.findall(f"{SVG}g[@class='lines']/{SVG}line")
    drawn = [tuple(float(one.attrib[name]) for name in ("x1", "y1", "y2")) for one in lines]
    return [
        one
        for one in written(svg)
        if not first < one.base < last
        and any(one.left < x < one.right and top < one.base - 3 < bottom for x, top, bottom in drawn)
    ]


def titles(svg: str) -> list[str]:
    """What each bar says of itself."""
    groups = ElementTree.fromstring(svg).findall(f"{SVG}g/{SVG}g")
    return [group.findtext(f"{SVG}title") or "" for group in groups]


def boxes(svg: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The rectangles of each bar, under the bar's title: without the ground below the patterns."""
    for group in ElementTree.fromstring(svg).findall(f"{SVG}g/{SVG}g"):
        yield (
            group.findtext(f"{SVG}title") or "",
            [rect.attrib for rect in group.findall(f"{SVG}rect") if "stroke" in rect.attrib],
        )
