"""The controls of a page's form, as a browser without scripts would send them."""

from html.parser import HTMLParser

Controls = dict[str, list[str]]


class _Form(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside = action, False
        self.controls: Controls = {}
        self._text = self._select = ""
        self._written: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.inside = given.get("action") == self.action and given.get("method") == "post"
        elif not self.inside:
            return
        elif tag == "input" and given.get("type") not in ("file", "submit"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self._add(name, value or ("on" if given.get("type") == "checkbox" else ""))
        elif tag == "select":
            self._select = name
            self.controls[name] = []
        elif tag == "option" and ("selected" in given or not self.controls[self._select]):
            self.controls[self._select] = [value]
        elif tag == "textarea":
            self._text, self._written = name, ""

    def handle_data(self, data: str) -> None:
        if self._written is not None:
            self._written += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self._written is not None:
            # A line break right after the tag is none (HTML 13.2.6.4.7); those that are, are sent as two characters.
            self._add(self._text, self._written.removeprefix("\n").replace("\n", "\r\n"))
            self._written = None

    def _add(self, name: str, value: str) -> None:
        if name:
            self.controls.setdefault(name, []).append(value)


def controls(page: str, action: str) -> Controls:
    """Of the form that is sent to `action`."""
    form = _Form(action)
    form.feed(page)
    return form.controls
