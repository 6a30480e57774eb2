"""Real browsers at a real server: whatever page they come to is checked for barriers, violations and foreign hosts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from tests.web.finding import NO_BROWSER, executable
from tests.web.visitors import Visitor
from tests.world import World
from tests.world_fixtures import built
from tsunagi.app import create_app, create_services
from tsunagi.cli.serving import free_port, server_over
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.settings import Settings
from tsunagi.web.site import cookie_name

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
    console.error("policy", event.violatedDirective, event.blockedURI));"""


@dataclass
class Browsing:
    """Somebody at a browser. Each page that `open`, `follow` and `press` lead to is checked."""

    base_url: str
    context: BrowserContext
    page: Page
    scripts: bool
    faults: list[str] = field(default_factory=list)
    elsewhere: str | None = None
    """Another server that a test leads to, on purpose."""

    async def open(self, path: str, *, status: int = 200) -> Page:
        answer = await self.page.goto(self.base_url + path, wait_until="load")
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        await self.check()
        return self.page

    async def follow(self, name: str) -> None:
        """Follows the link of that name."""
        await self._leaving(self.page.get_by_role("link", name=name, exact=True).click)

    async def press(self, name: str) -> None:
        """Presses the button of that name, which leads to a page."""
        await self._leaving(self.page.get_by_role("button", name=name, exact=True).click)

    async def _leaving(self, act: Callable[[], Awaitable[None]]) -> None:
        async with self.page.expect_navigation(wait_until="load"):
            await act()
        await self.check()

    async def check(self) -> None:
        """Nothing was loaded from elsewhere or against the policy, no script failed, and axe finds no barrier."""
        if self.scripts:
            self.faults += await self._barriers()
        assert not self.faults, f"{self.page.url}: " + "\n".join(self.faults)

    async def _barriers(self) -> list[str]:
        await self.page.evaluate(AXE.read_text("utf-8"))
        # What axe loads beforehand are style sheets once more, for rules that are off, and films: there are none.
        found: list[dict[str, Any]] = await self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations'], preload: false}).then((found) => found.violations)"
        )
        return [
            f"{rule['id']}: {node['html']} {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]

    def hear(self, message: ConsoleMessage) -> None:
        # That a page or a form was answered by an error is no fault of the page that says so.
        refused = "Failed to load resource" in message.text and "/static/" not in message.location["url"]
        if message.type in ("error", "warning") and not refused:
            self.faults.append(f"console: {message.text}")

    def see(self, request: Request) -> None:
        known = (self.base_url + "/", "data:", "blob:", *([self.elsewhere] if self.elsewhere else []))
        if not request.url.startswith(known):
            self.faults.append(f"asked elsewhere: {request.url}")

    async def width(self) -> int:
        """How wide the page is, beyond what is seen of it too."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth"))


@dataclass(frozen=True)
class BrowserWorld:
    """The world of the other tests, served at an address that browsers reach."""

    world: World
    base_url: str
    browser: Browser

    @asynccontextmanager
    async def browsing(
        self,
        member: Visitor | None = None,
        *,
        language: Literal["ja", "en"] = "ja",
        width: int = 1280,
        height: int = 900,
        scale: float = 1,
        scripts: bool = True,
    ) -> AsyncIterator[Browsing]:
        """A browser of its own, with the session of that member where one is given."""
        context = await self.browser.new_context(
            locale="ja-JP" if language == "ja" else "en-GB",
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(20_000)
        if member:
            name = cookie_name(self.world.services)
            await context.add_cookies(
                [{"name": name, "value": member.http.cookies[name], "url": self.base_url, "httpOnly": True}]
            )
        if scripts:
            await context.add_init_script(TELL_VIOLATIONS)
        somebody = Browsing(self.base_url, context, await context.new_page(), scripts)
        context.on("console", somebody.hear)
        context.on("weberror", lambda error: somebody.faults.append(f"script: {error.error}"))
        context.on("request", somebody.see)
        yield somebody
        await somebody.check()
        await context.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = executable()
    if path is None:
        pytest.skip(NO_BROWSER)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=QUIET)
        yield launched
        await launched.close()


@pytest.fixture
async def pages(
    browser: Browser,
    own_database: Database,
    contract: Contract,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> AsyncIterator[BrowserWorld]:
    """The world, over a database of its own with real commits, and a browser to look at it with; under the name of
    the host that a test asks for."""
    port, host = free_port(), getattr(request, "param", "127.0.0.1")
    settings = Settings(
        data_dir=tmp_path / "data",
        base_url=f"http://{host}:{port}",
        port=port,
        metrics_port=0,
        openid_to_loopback=True,
    )
    services = create_services(settings, own_database, Clock(), contract)
    server = server_over(services)
    serving = asyncio.create_task(server.serve())
    transport = httpx2.ASGITransport(app=create_app(services, work=False), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=settings.base_url) as http:
        world = await built(services, http, own_database)
        while not server.started:
            assert not serving.done(), "the server did not start"
            await asyncio.sleep(0.01)
        yield BrowserWorld(world, settings.base_url, browser)
    server.should_exit = True
    await serving
