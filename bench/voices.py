"""What is said to the service over HTTP, one talk for each connection."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from uuid import uuid4

from bench.load import Talk, repeat, request
from bench.multiply import copy_of
from bench.play import Cast, as_bytes, bearer, proven
from bench.stage import Stage
from tsunagi.auth.tokens import AccessTokens
from tsunagi.ids import OrganizationId

Say = Callable[[], Callable[[], Talk]]
"""Called for every span, so that its tokens are fresh; gives what each of the span's connections says."""

PROOFS = 5_000
"""More than are used in a span."""

RENEWED_AFTER_SECONDS = 200
"""A token lives for 300."""

_HERE = "00000000-0000-4000-8000-000000000000"
"""Where the person's id goes."""


class Voices:
    """`people` are the numbers of those who are ready; each is handed over once."""

    def __init__(
        self, stage: Stage, cast: Cast, tokens: AccessTokens, record: dict[str, object], people: Iterator[int]
    ) -> None:
        self._stage, self._cast, self._tokens, self._people = stage, cast, tokens, people
        self._before, self._after = as_bytes({"personId": _HERE} | record).split(_HERE.encode())
        self._drafts: list[bytes] = []
        self._bearers: dict[OrganizationId, tuple[float, dict[str, str]]] = {}

    def all(self) -> dict[str, tuple[Say, int]]:
        """Each by its name, and how many requests are one of it."""
        return {
            "post": (self.post, 1),
            "offer": (self.offer, 1),
            "both": (self.both, 2),
            "read": (self.read, 1),
            "list": (self.list, 1),
            "responsibility": (self.responsibility, 1),
        }

    def post(self) -> Callable[[], Talk]:
        """A handover is posted; `offer` offers it."""
        headers = self._headers(self._cast.sender)

        def talk() -> Talk:
            for number in self._people:
                answer = yield self._post(number, headers)
                self._drafts.append(_id(answer))

        return talk

    def offer(self) -> Callable[[], Talk]:
        """A handover that was posted in the span before is offered."""
        headers = self._headers(self._cast.sender)
        drafts, self._drafts = iter(self._drafts), []

        def talk() -> Talk:
            for one in drafts:
                yield _offer(one, headers)

        return talk

    def both(self) -> Callable[[], Talk]:
        """A handover is posted and then offered."""
        headers = self._headers(self._cast.sender)

        def talk() -> Talk:
            for number in self._people:
                answer = yield self._post(number, headers)
                yield _offer(_id(answer), headers)

        return talk

    def read(self) -> Callable[[], Talk]:
        """The large center reads a handover that it has received."""
        return self._get(self._cast.center, lambda number: f"/v1/handovers/{self._stage.handover(number)}")

    def read_proven(self, base_url: str) -> Callable[[], Talk]:
        """As `read`, with a token that is bound to a key. The proofs are made before, and are used once."""
        headers = proven(self._tokens, self._cast.center)
        paths = [f"/v1/handovers/{self._stage.handover(n)}" for n in islice(self._stage.spread(), PROOFS)]
        return repeat(iter([request("GET", path, headers=headers("GET", base_url + path)) for path in paths]))

    def responsibility(self) -> Callable[[], Talk]:
        return self._get(
            self._cast.center, lambda number: f"/v1/people/{self._stage.person(number)}/responsibility"
        )

    def list(self) -> Callable[[], Talk]:
        return self._get(self._cast.center, lambda _number: "/v1/handovers?limit=50")

    def export(self, who: OrganizationId) -> Callable[[], Talk]:
        """Everything that a center may pull, once."""
        sent = request("GET", "/v1/handovers/export", headers=self._bearer(who))
        return lambda: (one for one in [sent])

    def _get(self, who: OrganizationId, path: Callable[[int], str]) -> Callable[[], Talk]:
        headers = self._bearer(who)
        numbers = self._stage.spread()

        def talk() -> Talk:
            for number in numbers:
                yield request("GET", path(number), headers=headers)

        return talk

    def _bearer(self, who: OrganizationId) -> dict[str, str]:
        """A token that outlives the next span, and is used as long as a client would."""
        made_at, headers = self._bearers.get(who, (0.0, {}))
        if time.monotonic() - made_at > RENEWED_AFTER_SECONDS:
            made_at, headers = time.monotonic(), bearer(self._tokens, who)
            self._bearers[who] = made_at, headers
        return headers

    def _headers(self, who: OrganizationId) -> dict[str, str]:
        return self._bearer(who) | {"Content-Type": "application/json"}

    def _post(self, number: int, headers: dict[str, str]) -> bytes:
        person = copy_of(self._stage.ready.person_id, number).encode()
        body = self._before + person + self._after
        keyed = headers | {"Idempotency-Key": str(uuid4())}
        return request("POST", "/v1/handovers", headers=keyed, body=body)


def _offer(handover_id: bytes, headers: dict[str, str]) -> bytes:
    return request(
        "POST",
        f"/v1/handovers/{handover_id.decode()}/offer",
        headers=headers | {"Idempotency-Key": str(uuid4())},
    )


def _id(answer: bytes) -> bytes:
    at = answer.index(b'"id":"') + 6
    return answer[at : at + 36]
