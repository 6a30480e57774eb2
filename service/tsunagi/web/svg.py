"""SVG as text: what is written in it is text, nothing in it can be markup."""

import unicodedata
from xml.etree import ElementTree

from markupsafe import Markup

Element = ElementTree.Element
NAMESPACE = "http://www.w3.org/2000/svg"
WIDE = frozenset("WFA")
"""East Asian widths that take a full em; ambiguous ones do in a Japanese font."""
NARROW_EM = 0.58
CUT = "…"


def element(parent: Element | None, name: str, text: str = "", **attributes: str | float | None) -> Element:
    """A child of `parent`. In the names of attributes `_` is `-`, at the end nothing; a None is left out."""
    made = Element(name) if parent is None else ElementTree.SubElement(parent, name)
    for key, value in attributes.items():
        if value is not None:
            made.set(key.rstrip("_").replace("_", "-"), value if isinstance(value, str) else _number(value))
    if text:
        made.text = text
    return made


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def markup(root: Element) -> Markup:
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704  every text in it is escaped


def text_width(text: str, size: float) -> float:
    """How wide a text may become, in the unit of `size`; rather too wide than too narrow."""
    return size * sum(1 if unicodedata.east_asian_width(char) in WIDE else NARROW_EM for char in text)


def cut(text: str, size: float, width: float) -> str:
    """As much of a text as fits, with a sign that it goes on; nothing where not even two characters do."""
    if text_width(text, size) <= width:
        return text
    kept, room = 0, width - text_width(CUT, size)
    for char in text:
        room -= text_width(char, size)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + CUT if kept > 1 else ""
