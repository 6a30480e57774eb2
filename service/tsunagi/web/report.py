"""The report that is handed to the person: on the screen, in large type, with readings; and as a PDF."""

from fastapi.responses import Response
from markupsafe import Markup

from tsunagi.errors import Text
from tsunagi.paper.rules import Ruby, furigana
from tsunagi.reports import words
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit


@pages.get("/people/{person_id}/report")
async def report_page(visit: Visit) -> Response:
    person_id = visit.request.path_params["person_id"]
    ruby = visit.language == "ja" and _chosen(visit, "ruby")
    report = await visit.ask("getPersonReport", personId=person_id, language=visit.language)

    def say(text: Text) -> Markup:
        return with_readings(text.en if visit.language == "en" else text.ja, shown=ruby)

    return visit.page(
        "report.html", report=report, say=say, plain=words, ruby=ruby, large=_chosen(visit, "large")
    )


@pages.get("/people/{person_id}/report.pdf")
async def report_pdf(visit: Visit) -> Response:
    """Raises ConfirmationNeeded."""
    visit.confirmed()
    return await visit.answer(
        "getPersonReport",
        headers={"Accept": "application/pdf"},
        personId=visit.request.path_params["person_id"],
        language=visit.language,
        ruby=_chosen(visit, "ruby"),
    )


def with_readings(text: str, *, shown: bool) -> Markup:
    """A text of ours as HTML, `{本人|ほんにん}` with its reading above it."""
    line = furigana(text, shown=shown)
    if isinstance(line, str):
        return Markup("{}").format(line)
    ruby = Markup("<ruby>{}<rp>（</rp><rt>{}</rt><rp>）</rp></ruby>")
    parts = [
        ruby.format(one.base, one.reading) if isinstance(one, Ruby) else Markup("{}").format(one)
        for one in line
    ]
    return Markup("").join(parts)


def _chosen(visit: Visit, name: str) -> bool:
    return visit.request.query_params.get(name) == "true"
