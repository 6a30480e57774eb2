"""A body that nobody should send is refused for what it is, in both languages, at little cost, and not repeated."""

import pytest

from tests.hostile.bodies import BODIES, LIMIT
from tests.hostile.wire import MARK, MAX_CPU_SECONDS, Wire
from tsunagi.contract import BASE_URI, Contract


@pytest.mark.parametrize("name", BODIES)
def test_it_is_refused_where_and_for_what_it_is(name: str, wire: Wire, contract: Contract) -> None:
    hostile = BODIES[name]
    operation = contract.operations["createHandover"]
    for wire.language in ("ja", "en"):
        answer = wire.refused(hostile.request(wire))
        problem = answer.problem
        assert (answer.status, problem["code"]) == (hostile.status, hostile.code), problem
        assert str(answer.status) in operation.responses
        assert any(hostile.names(error) for error in problem["errors"]), problem["errors"][:5]
        assert all(one["message"].isascii() == (wire.language == "en") for one in problem["errors"])
        assert MARK.encode() not in answer.body
        contract.check(f"{BASE_URI}schemas/problem.json", problem)
        assert answer.cpu_seconds < MAX_CPU_SECONDS


def test_the_limit_is_the_services(wire: Wire) -> None:
    assert wire.service.services.settings.max_body_bytes == LIMIT


def test_what_is_refused_early_does_not_cost_the_connection(wire: Wire) -> None:
    """The rest of the body is read, so that whoever writes first and reads later finds the answer."""
    with wire.connected() as connection:
        connection.sendall(wire.post(b"a" * 5_000_000))
        connection.sendall(wire.head("GET /livez", "Connection: close"))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 413") == received.count(b"HTTP/1.1 200 OK") == 1


def test_compression_is_said_to_be_the_fault(wire: Wire) -> None:
    assert wire.send(BODIES["gzip"].request(wire)).headers["accept-encoding"] == "identity"
    assert "accept-encoding" not in wire.send(BODIES["no type"].request(wire)).headers
