"""The protocol without a network: each flow is driven by hand, and says what it wants."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey

from tsunagi.proofs.rules import token_hash
from tsunagi_client import (
    ConnectionFailed,
    ProblemError,
    Retry,
    Staff,
    TsunagiError,
    UnexpectedAnswer,
    errors,
)
from tsunagi_client._flow import Alone, Answer, Effect, Flow, Give, Read, Request, Send, Sleep
from tsunagi_client._operations import document
from tsunagi_client._possession import Possession
from tsunagi_client._session import Ask, Endpoint, Session, encoded
from tsunagi_client._tokens import Identity, Tokens
from tsunagi_client.keys import load_key

KEY = ECKey.generate_key("P-256")
ISSUER = "https://tsunagi.example"
READ = Endpoint("getConsent", "GET", "/v1/consents/{consentId}")
ASK = Ask(document, path={"consentId": "c-1"})
OK = Answer(200, {}, b'{"id": "c-1"}')
METADATA = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/oauth2/token"}


def answer(status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(body).encode())


def a_problem(status: int, code: str, **members: Any) -> Answer:
    return answer(status, {"type": "t", "title": "t", "status": status, "code": code, **members})


class World:
    """Plays the service to a flow: token requests are granted, the others answered in turn."""

    def __init__(self, *answers: Answer | TsunagiError, metadata: Any = METADATA, **identity: Any) -> None:
        self.answers = list(answers)
        self.metadata: Answer = answer(200, metadata)
        self.token: Callable[[int], Answer] = lambda number: answer(
            200, {"access_token": f"t-{number}", "token_type": "DPoP", "expires_in": 300}
        )
        self.now = 1000.0
        self.sent: list[Request] = []
        self.token_requests: list[Request] = []
        self.slept: list[float] = []
        self.given: list[Any] = []
        self.chunks: list[bytes | TsunagiError] = []
        who = Identity("c", load_key(KEY), **identity)
        tokens = Tokens(ISSUER, who, None, Possession(), monotonic=lambda: self.now)
        self.session = Session(ISSUER, tokens, "en", Retry())

    def run(self, flow: Flow[Any]) -> Any:
        outcome: Any = None
        try:
            while True:
                failed = isinstance(outcome, TsunagiError)
                effect = flow.throw(outcome) if failed else flow.send(outcome)
                outcome = self._outcome(effect)
        except StopIteration as finished:
            return finished.value

    def _outcome(self, effect: Effect) -> Any:
        match effect:
            case Alone(_, flow):
                try:
                    return self.run(flow)
                except TsunagiError as error:
                    return error
            case Sleep(seconds):
                self.slept.append(seconds)
            case Give(items):
                self.given += items
            case Read():
                return self.chunks.pop(0) if self.chunks else b""
            case Send(request):
                return self._answer(request)
        return None

    def _answer(self, request: Request) -> Answer | TsunagiError:
        if "/.well-known/" in request.url:
            return self.metadata
        if request.url.endswith("/oauth2/token"):
            self.token_requests.append(request)
            return self.token(len(self.token_requests))
        self.sent.append(request)
        return self.answers.pop(0)

    def call(self) -> Any:
        return self.run(self.session.call(READ, ASK))


def test_the_assertion_is_what_the_service_asks_for() -> None:
    world = World(OK, organization="o-1", staff=Staff("s-1", "花子"), scopes=("consents:read", "events:read"))
    world.call()
    form = parse_qs((world.token_requests[0].content or b"").decode())
    assert form["grant_type"] == ["client_credentials"]
    assert (form["organization"], form["scope"]) == (["o-1"], ["consents:read events:read"])
    token = jwt.decode(form["client_assertion"][0], KEY, algorithms=["ES256"])
    assert token.header["kid"] == KEY.thumbprint()
    claims = token.claims
    assert claims["iss"] == claims["sub"] == "c"
    assert claims["aud"] == ISSUER
    assert 0 < claims["exp"] - claims["iat"] <= 60
    assert claims["staff"] == {"id": "s-1", "name": "花子"}


def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    world = World(OK, OK, OK)
    world.call()
    world.now += 269
    world.call()
    assert len(world.token_requests) == 1
    world.now += 2
    world.call()
    assert [one.headers["authorization"] for one in world.sent] == ["DPoP t-1", "DPoP t-1", "DPoP t-2"]
    assert len({(one.content or b"") for one in world.token_requests}) == 2, "each assertion is used once"


def proof_in(request: Request, token: str | None = None) -> dict[str, Any]:
    """The claims of the request's proof, which must be right: RFC 9449 section 4.2."""
    header = jws.extract_compact(request.headers["dpop"].encode()).headers()
    assert header.keys() == {"typ", "alg", "jwk"}
    assert header["jwk"].keys() == {"kty", "crv", "x", "y"}
    claims: dict[str, Any] = jwt.decode(
        request.headers["dpop"], ECKey.import_key(header["jwk"]), algorithms=["ES256"]
    ).claims
    assert (header["typ"], claims["htm"], claims["htu"]) == ("dpop+jwt", request.method, request.url)
    assert claims.get("ath") == (token and token_hash(token))
    return claims


def test_every_sending_has_a_proof_of_its_own() -> None:
    world = World(ConnectionFailed("reset"), OK, OK)
    world.call()
    world.call()
    proofs = [proof_in(one, "t-1") for one in world.sent] + [proof_in(one) for one in world.token_requests]
    assert len({one["jti"] for one in proofs}) == len(proofs) == 4


@pytest.mark.parametrize("other", ["Bearer", "bearer", "N_A"])
def test_a_token_that_anybody_could_use_is_not_used(other: str) -> None:
    world = World(OK)
    world.token = lambda _: answer(200, {"access_token": "t", "token_type": other, "expires_in": 300})
    with pytest.raises(UnexpectedAnswer, match="not bound"):
        world.call()
    assert not world.sent


def test_a_nonce_is_used_from_then_on() -> None:
    wanted = 'DPoP error="use_dpop_nonce", error_description="…"'
    world = World(
        Answer(401, {"www-authenticate": wanted, "dpop-nonce": "n-2"}, b"{}"),
        replace(OK, headers={"dpop-nonce": "n-3"}),
        OK,
    )
    granted = world.token
    refused = answer(400, {"error": "use_dpop_nonce"}, dpop_nonce="n-1")
    world.token = lambda number: refused if number == 1 else granted(number)
    world.call()
    world.call()
    assert [proof_in(one).get("nonce") for one in world.token_requests] == [None, "n-1"]
    assert [proof_in(one, "t-2")["nonce"] for one in world.sent] == ["n-1", "n-2", "n-3"]
    assert len({(one.content or b"") for one in world.token_requests}) == 2


def test_a_service_that_is_never_content_with_a_nonce_is_not_asked_forever() -> None:
    wanted = {"www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": "n"}
    world = World(*[Answer(401, wanted, a_problem(401, "unauthenticated").content)] * 9)
    with pytest.raises(errors.Unauthenticated):
        world.call()
    assert len(world.sent) == 3


def test_a_server_that_calls_itself_otherwise_gets_no_assertion() -> None:
    world = World(metadata=METADATA | {"issuer": "https://other.example"})
    with pytest.raises(UnexpectedAnswer, match="does not call itself"):
        world.call()
    assert not world.token_requests


@pytest.mark.parametrize("endpoint", ["http://tsunagi.example/oauth2/token", None])
def test_a_token_endpoint_that_others_can_listen_to_is_not_used(endpoint: str | None) -> None:
    world = World(metadata=METADATA | {"token_endpoint": endpoint})
    with pytest.raises(UnexpectedAnswer, match="no secure token endpoint"):
        world.call()


def test_a_token_request_that_fails_is_tried_again_with_a_new_assertion() -> None:
    world = World(OK)
    granted = world.token
    world.token = lambda number: a_problem(503, "unavailable") if number == 1 else granted(number)
    assert world.call() == {"id": "c-1"}
    assert len({one.content for one in world.token_requests}) == 2
    assert len(world.slept) == 1


PASSING: list[Answer | TsunagiError] = [
    ConnectionFailed("reset"),
    ConnectionFailed("refused", unsent=True),
    a_problem(429, "rate_limited"),
    a_problem(503, "unavailable"),
    a_problem(409, "idempotency_in_flight"),
    Answer(502, {}, b"<html>"),
    Answer(504, {}, b""),
]


@pytest.mark.parametrize("trouble", PASSING, ids=str)
def test_what_passes_is_tried_again(trouble: Answer | TsunagiError) -> None:
    world = World(trouble, trouble, trouble, OK)
    assert world.call() == {"id": "c-1"}
    assert len({(one.method, one.url, one.content) for one in world.sent}) == 1
    assert [seconds <= 0.5 * 2**tried for tried, seconds in enumerate(world.slept)] == [True] * 3


@pytest.mark.parametrize("trouble", PASSING, ids=str)
def test_patience_ends(trouble: Answer | TsunagiError) -> None:
    world = World(*[trouble] * 4)
    with pytest.raises(TsunagiError):
        world.call()
    assert len(world.slept) == 3


LASTING: list[Answer | TsunagiError] = [
    ConnectionFailed("no such protocol", lasting=True),
    a_problem(409, "wrong_state"),
    a_problem(500, "internal_error"),
    Answer(500, {}, b"<html>"),
    Answer(301, {}, b""),
]


@pytest.mark.parametrize("trouble", LASTING, ids=str)
def test_what_lasts_is_not_tried_again(trouble: Answer | TsunagiError) -> None:
    world = World(trouble)
    with pytest.raises(TsunagiError):
        world.call()
    assert not world.slept


def test_the_service_says_how_long_to_wait() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=20))
    world = World(
        a_problem(503, "unavailable", retryAfterSeconds=7),
        answer(503, {"code": "unavailable"}, retry_after="9"),
        Answer(502, {"retry-after": later}, b""),
        OK,
    )
    world.call()
    for seconds, asked in zip(world.slept, (7, 9, 18), strict=True):
        assert asked <= seconds <= asked + 4


def test_a_wait_that_is_too_long_is_left_to_the_caller() -> None:
    world = World(a_problem(429, "rate_limited", retryAfterSeconds=3600))
    with pytest.raises(errors.RateLimited) as caught:
        world.call()
    assert caught.value.retry_after_seconds == 3600
    assert not world.slept


def test_a_code_that_is_not_known_yet_is_a_problem_all_the_same() -> None:
    world = World(a_problem(418, "teapot", strength=3, detail="d", requestId="r-1"))
    with pytest.raises(ProblemError) as caught:
        world.call()
    error = caught.value
    assert type(error) is ProblemError
    assert (error.problem_code, error.status, error.extensions) == ("teapot", 418, {"strength": 3})


def test_a_stream_is_split_at_line_feeds_alone() -> None:
    world = World(Answer(200, {}, b""))
    line = json.dumps({"text": "一\u2028二\x85三"}, ensure_ascii=False).encode()
    world.chunks = [line[:9], line[9:] + b"\n" + line, b"\n\n{}\n"]
    world.run(world.session.lines(READ, ASK))
    assert world.given == [{"text": "一\u2028二\x85三"}] * 2 + [{}]


def test_a_stream_that_breaks_off_is_no_end() -> None:
    world = World(Answer(200, {}, b""))
    world.chunks = [b'{"a": 1}\n{"b"']
    with pytest.raises(ConnectionFailed, match="middle of a line"):
        world.run(world.session.lines(READ, ASK))
    assert world.given == [{"a": 1}]


def test_ids_cannot_lead_elsewhere() -> None:
    request = World().session.request(READ, Ask(document, path={"consentId": "../../oauth2?x=1"}))
    assert request.url == f"{ISSUER}/v1/consents/..%2F..%2Foauth2%3Fx%3D1"
    for nothing in ("", ".", ".."):
        with pytest.raises(ValueError, match="id is missing"):
            World().session.request(READ, Ask(document, path={"consentId": nothing}))


def test_dates_instants_and_ids_are_written_as_the_contract_has_them() -> None:
    moment = datetime(2026, 10, 1, 9, tzinfo=UTC)
    body = {"day": date(2026, 10, 1), "at": moment, "id": UUID(int=1)}
    assert json.loads(encoded(body)) == {
        "day": "2026-10-01",
        "at": "2026-10-01T09:00:00+00:00",
        "id": "00000000-0000-0000-0000-000000000001",
    }
    query: dict[str, Any] = {"asOf": date(2026, 10, 1), "status": ["a", "b"], "none": None}
    request = World().session.request(READ, Ask(document, path={"consentId": 1}, query=query))
    assert request.url.endswith("?asOf=2026-10-01&status=a%2Cb")
    with pytest.raises(ValueError, match="offset"):
        encoded({"at": moment.replace(tzinfo=None)})
    with pytest.raises(ValueError, match="JSON"):
        encoded({"n": float("nan")})


def test_neither_tokens_nor_documents_are_printed() -> None:
    world = World(Answer(200, {}, b'{"name": "Aikawa"}'))
    ask = Ask(document, path={"consentId": "c-1"}, body={"name": "Aikawa"})
    assert world.run(world.session.call(READ, ask)) == {"name": "Aikawa"}
    printed = repr([world.sent, world.token_requests, ask, Answer(200, {}, b"Aikawa"), Give(["Aikawa"])])
    printed += repr([world.session, world.session.tokens._token, load_key(KEY)])
    assert "Aikawa" not in printed
    assert "t-1" not in printed
    assert "client_assertion" not in printed
