"""One message over real connections: where it goes, where it never goes, and what counts as an answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.outgoing.test_rules import NOT_PUBLIC
from tests.webhooks.receiver import Receiver, listening
from tsunagi.outgoing.connection import MAX_HEAD_BYTES, Resolve
from tsunagi.webhooks.delivery import Attempt, Message, Sender

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
OTHER = "whsec_" + "A" * 43 + "="
HOST = "software.example"


def to(*addresses: str) -> Resolve:
    """A name service that says so of every name."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


async def send(sender: Sender, url: str, *, secrets: Sequence[str] = (SECRET,)) -> Attempt:
    return await sender.send(Message("m-1", url, '{"type":"x"}', secrets), datetime.now(UTC))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of HOST, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "host.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
async def secure(certificate: Path) -> AsyncIterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with listening(context) as found:
        yield found


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


async def test_a_message_arrives_signed_with_every_secret(receiver: Receiver) -> None:
    sender = Sender(to_loopback=True)
    assert await send(sender, receiver.url, secrets=(SECRET, OTHER)) == Attempt("accepted", 204)
    (got,) = receiver.received
    assert got.line == "POST /hook?office=1 HTTP/1.1"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    assert got.verified(SECRET) == got.verified(OTHER) == {"type": "x"}
    assert got.id == "m-1"


async def test_over_tls_the_name_is_the_urls_and_the_address_that_which_was_checked(
    secure: Receiver, certificate: Path
) -> None:
    sender = Sender(to_loopback=True, resolve=to("127.0.0.1"), trusted=trusting(certificate))
    url = f"https://{HOST}:{secure.port}/hook"
    assert await send(sender, url) == Attempt("accepted", 204)
    assert secure.received[0].headers["host"] == f"{HOST}:{secure.port}"


async def test_a_certificate_of_another_name_or_of_nobody_known_is_not_spoken_to(
    secure: Receiver, certificate: Path
) -> None:
    known = Sender(to_loopback=True, resolve=to("127.0.0.1"), trusted=trusting(certificate))
    assert await send(known, f"https://other.example:{secure.port}/") == Attempt("unreachable")
    assert await send(
        Sender(to_loopback=True, resolve=to("127.0.0.1")), f"https://{HOST}:{secure.port}/"
    ) == Attempt("unreachable")
    assert secure.received == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_that_leads_to_an_address_that_is_not_public_gets_nothing(address: str) -> None:
    assert await send(Sender(resolve=to(address)), f"https://{HOST}/") == Attempt("address_refused")


async def test_one_such_address_among_others_is_enough(receiver: Receiver) -> None:
    sender = Sender(to_loopback=True, resolve=to("127.0.0.1", "10.0.0.1"))
    assert await send(sender, receiver.url) == Attempt("address_refused")
    assert receiver.received == []


async def test_a_name_that_changes_its_mind_is_asked_once(receiver: Receiver) -> None:
    asked = []

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        asked.append(1)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    sender = Sender(to_loopback=True, resolve=rebinding)
    assert await send(sender, f"http://{HOST}:{receiver.port}/") == Attempt("accepted", 204)
    assert len(asked) == 1


async def test_this_machine_is_no_place_for_messages_unless_in_trials(receiver: Receiver) -> None:
    assert await send(Sender(), receiver.url) == Attempt("address_refused")
    assert receiver.received == []


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async with listening() as elsewhere:
        receiver.answers(307, f"Location: {elsewhere.url}")
        assert await send(Sender(to_loopback=True), receiver.url) == Attempt("refused", 307)
        assert elsewhere.received == []


async def test_an_answer_before_the_answer_is_passed_over(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    assert await send(Sender(to_loopback=True), receiver.url) == Attempt("accepted", 200)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"220 mail.example ESMTP\r\n\r\n",
        b"HTTP/1.1 2000 Much\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MAX_HEAD_BYTES) + b"\r\n\r\n",
    ],
)
async def test_what_is_no_answer_in_http_counts_as_none(receiver: Receiver, answer: bytes) -> None:
    receiver.answer = answer
    assert await send(Sender(to_loopback=True), receiver.url) == Attempt("unreachable")


async def test_who_does_not_answer_is_waited_for_no_longer_than_that(receiver: Receiver) -> None:
    receiver.open.clear()
    async with asyncio.timeout(5):
        assert await send(Sender(to_loopback=True, seconds=0.2), receiver.url) == Attempt("timeout")


async def test_a_name_that_nobody_resolves_in_time_is_not_waited_for() -> None:
    async def never(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    async with asyncio.timeout(5):
        found = await send(Sender(resolve=never, seconds=0.2), f"https://{HOST}/")
    assert found == Attempt("timeout")


async def test_where_nobody_listens_nothing_is_reached() -> None:
    async with listening() as gone:
        url = gone.url
    assert await send(Sender(to_loopback=True), url) == Attempt("unreachable")
    assert await send(Sender(resolve=to()), f"https://{HOST}/") == Attempt("unreachable")
