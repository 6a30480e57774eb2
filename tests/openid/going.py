"""Somebody's way through a browser: to the provider and back, over real HTTP there."""

from urllib.parse import urlsplit

import httpx2

from tests.openid.provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider
from tests.web.visitors import Visitor, visitor
from tests.world import Organization


async def approved(url: str, subject: str) -> str:
    """Somebody signs in at the provider; the path and query that its answer leads to."""
    async with httpx2.AsyncClient() as http:
        asked = httpx2.URL(url)
        assert (await http.get(asked)).status_code == 200
        server = f"{asked.scheme}://{asked.netloc.decode()}"
        answer = await http.post(f"{server}/login", data=dict(asked.params) | {"who": subject})
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


async def registered(
    who: Organization, provider: OpenIdProvider, *, stated: bool = False, secret: str = CLIENT_SECRET
) -> Visitor:
    """The administrator who has registered the provider for the organization."""
    administrator = await visitor(who, "administrator")
    data = {"do": "register", "issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": secret}
    answer = await administrator.post(
        "/settings/openid", data | ({"second_factor": "true"} if stated else {})
    )
    assert (answer.status_code, answer.headers.get("location")) == (303, "/settings/openid"), answer.text
    return administrator


def forward(page: httpx2.Response) -> str:
    """Where the page's link to the provider leads."""
    assert page.status_code == 200, page.headers.get("location")
    (link,) = [one for one in page.text.split('href="') if "/authorize?" in one.split('"')[0]]
    return link.split('"')[0].replace("&amp;", "&")


async def linked(who: Organization, subject: str) -> Visitor:
    """A member of staff who has linked themselves with somebody at the provider, and has signed out."""
    member = await visitor(who)
    page = await member.post("/settings/openid/link", {"do": "link"})
    answer = await member.get(await approved(forward(page), subject))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/openid/link")
    await member.post("/sign-out")
    return member


async def through(
    member: Visitor, who: Organization, subject: str, *, at: str | None = None
) -> httpx2.Response:
    """The answer to somebody who has been at the provider."""
    begun = await member.get(at or f"/sign-in/with/{who.id}")
    assert begun.status_code == 303, begun.text
    return await member.get(await approved(begun.headers["location"], subject))


def why(answer: httpx2.Response) -> str:
    """Why somebody was not let in, and what is wrong with the provider."""
    assert answer.status_code == 303, answer.text
    asked = httpx2.URL(answer.headers["location"]).params
    assert httpx2.URL(answer.headers["location"]).path.endswith("/refused"), answer.headers["location"]
    return " ".join(asked.values())
