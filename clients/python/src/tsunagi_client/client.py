"""The two faces: `Tsunagi` blocks, `AsyncTsunagi` runs on asyncio. Whatever one of them can do the other can."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from importlib.metadata import version
from types import TracebackType
from typing import Generic, Self, TypeVar
from urllib.parse import urlsplit

import httpx2

from tsunagi_client._drivers import Asyncio, Blocking
from tsunagi_client._operations import Driver
from tsunagi_client._possession import Possession
from tsunagi_client._session import Session
from tsunagi_client._tokens import Identity, Staff, Tokens, is_secure
from tsunagi_client.directory import Areas, Events, Findings, Organizations
from tsunagi_client.evidence import Evidence, Provisions
from tsunagi_client.handovers import Handovers
from tsunagi_client.keys import KeySource, load_key
from tsunagi_client.ledger import Ledger
from tsunagi_client.people import Consents, People
from tsunagi_client.responsibility import Responsibilities
from tsunagi_client.retrying import Retry
from tsunagi_client.webhooks import Webhooks

Http = TypeVar("Http", httpx2.Client, httpx2.AsyncClient)

USER_AGENT = f"tsunagi-client/{version('tsunagi-client')}"
PATIENT = Retry()


class _Face(ABC, Generic[Driver, Http]):
    """A client of one Tsunagi service, for one organization."""

    people: People[Driver]
    consents: Consents[Driver]
    handovers: Handovers[Driver]
    responsibilities: Responsibilities[Driver]
    findings: Findings[Driver]
    provisions: Provisions[Driver]
    evidence: Evidence[Driver]
    organizations: Organizations[Driver]
    areas: Areas[Driver]
    events: Events[Driver]
    webhooks: Webhooks[Driver]
    ledger: Ledger[Driver]

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        key: KeySource,
        key_id: str | None = None,
        organization: str | None = None,
        staff: Staff | None = None,
        scopes: Sequence[str] = (),
        language: str = "ja",
        timeout: float = 30.0,
        retry: Retry = PATIENT,
        http: Http | None = None,
    ) -> None:
        """`base_url` is the service's issuer URL. `key` is the client's private key: a joserfc key, a JWK, PEM,
        or the path of a file with one of them. `organization` is for whom it acts, needed when it is
        registered for several. `language` is that of texts (`ja`, `en`), `timeout` in seconds. A client `http`
        of one's own (a proxy, mutual TLS) keeps its own time-outs, and is not closed by this one.

        Nothing is sent yet. Raises ValueError when the key or the URL cannot be used.
        """
        self._owns_http = http is None
        self._driver: Driver = self._driven(http, timeout)
        base_url = _checked(base_url)
        identity = Identity(client_id, load_key(key, key_id), organization, staff, tuple(scopes))
        tokens = Tokens(base_url, identity, self._driver.new_lock(), Possession())
        self._connect(Session(base_url, tokens, language, retry))

    @staticmethod
    @abstractmethod
    def _driven(http: Http | None, timeout: float) -> Driver: ...

    def _connect(self, session: Session) -> None:
        self._session = session
        self.people = People(self._driver, session)
        self.consents = Consents(self._driver, session)
        self.handovers = Handovers(self._driver, session)
        self.responsibilities = Responsibilities(self._driver, session)
        self.findings = Findings(self._driver, session)
        self.provisions = Provisions(self._driver, session)
        self.evidence = Evidence(self._driver, session)
        self.organizations = Organizations(self._driver, session)
        self.areas = Areas(self._driver, session)
        self.events = Events(self._driver, session)
        self.webhooks = Webhooks(self._driver, session)
        self.ledger = Ledger(self._driver, session)

    def acting(self, *, organization: str | None = None, staff: Staff | None = None) -> Self:
        """A client for another organization or member of staff, with a token of its own, over the same
        connections. Without `staff` it acts for nobody in particular. It need not be closed."""
        mine = self._session.tokens
        identity = replace(
            mine.identity, organization=organization or mine.identity.organization, staff=staff
        )
        other = copy(self)
        other._owns_http = False
        tokens = Tokens(mine.issuer, identity, self._driver.new_lock(), mine.possession)
        other._connect(replace(self._session, tokens=tokens))
        return other


class Tsunagi(_Face[Blocking, httpx2.Client]):
    """Blocks. Threads may share one.

    Everything raises TsunagiError; `tsunagi_client.errors` has a class for each way in which the service refuses.
    """

    @staticmethod
    def _driven(http: httpx2.Client | None, timeout: float) -> Blocking:
        return Blocking(http or httpx2.Client(timeout=timeout, headers={"user-agent": USER_AGENT}))

    def close(self) -> None:
        if self._owns_http:
            self._driver.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncTsunagi(_Face[Asyncio, httpx2.AsyncClient]):
    """Runs on asyncio. Tasks of one event loop may share one.

    Iterators that are left early are best closed at once, with `contextlib.aclosing`.
    """

    @staticmethod
    def _driven(http: httpx2.AsyncClient | None, timeout: float) -> Asyncio:
        return Asyncio(http or httpx2.AsyncClient(timeout=timeout, headers={"user-agent": USER_AGENT}))

    async def aclose(self) -> None:
        if self._owns_http:
            await self._driver.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _checked(base_url: str) -> str:
    """The issuer URL without a trailing slash."""
    parts = urlsplit(base_url)
    if not is_secure(base_url) or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("base_url must be https (or http to this machine), without a path")
    return base_url.rstrip("/")
