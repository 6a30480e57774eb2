"""FAPI 2.0 Security Profile, sections 5.2.1 and 5.3.3.1: what the Python client does."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.clients.python.test_flows import ISSUER, KEY, METADATA, OK, World, answer, proof_in
from tsunagi_client import ConnectionFailed, Tsunagi, UnexpectedAnswer, errors
from tsunagi_client._flow import Answer
from tsunagi_client.keys import load_key


def form_of(world: World) -> dict[str, list[str]]:
    return parse_qs((world.token_requests[-1].content or b"").decode())


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for 127.0.0.1 that this machine trusts, and its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "server.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@asynccontextmanager
async def tls_server(certificate: Path, newest: ssl.TLSVersion) -> AsyncIterator[str]:
    """A server that speaks TLS up to `newest` and has nothing to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old versions are what is tested here
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def call(base_url: str) -> None:
    def once() -> None:
        with Tsunagi(base_url, client_id="c", key=KEY) as client:
            client.consents.get("c-1")

    await asyncio.to_thread(once)


@pytest.mark.parametrize("url", ["http://tsunagi.example", "http://192.0.2.1", "ftp://tsunagi.example"])
def test_fapi_5_2_1_1_the_client_connects_by_tls_alone(url: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        Tsunagi(url, client_id="c", key=KEY)
    world = World(metadata=METADATA | {"token_endpoint": f"{url}/oauth2/token"})
    with pytest.raises(UnexpectedAnswer, match="no secure token endpoint"):
        world.call()
    assert not world.token_requests


async def test_fapi_5_2_1_2_the_client_wants_tls_1_2(trusted: Path) -> None:
    async with tls_server(trusted, ssl.TLSVersion.TLSv1_2) as url:
        with pytest.raises(UnexpectedAnswer):  # it was heard
            await call(url)
    async with tls_server(trusted, ssl.TLSVersion.TLSv1_1) as url:
        with pytest.raises(ConnectionFailed):
            await call(url)


async def test_fapi_5_2_1_5_the_client_checks_the_certificate(
    trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tls_server(trusted, ssl.TLSVersion.TLSv1_3) as url:
        with pytest.raises(ConnectionFailed):
            await call(url.replace("127.0.0.1", "localhost"))  # a name that it was not made for
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ConnectionFailed):
            await call(url)  # nobody known has signed it


def test_fapi_5_3_3_1_1_tokens_are_bound_to_a_key_of_the_clients_own() -> None:
    world = World(OK)
    world.call()
    keys = {
        str(jws.extract_compact(one.headers["dpop"].encode()).headers()["jwk"])
        for one in (*world.sent, *world.token_requests)
    }
    assert len(keys) == 1
    assert proof_in(world.sent[0], "t-1")["htm"] == "GET"
    assert str(KEY.as_dict(private=False)["x"]) not in keys.pop(), "not the key that it registered"


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ECKey.generate_key("P-256"), "ES256"),
        (RSAKey.generate_key(2048), "PS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
    ],
)
def test_fapi_5_3_3_1_2_the_client_authenticates_by_private_key_jwt(key: Any, alg: str) -> None:
    assertion = load_key(key).sign({"iss": "c"})
    header = jws.extract_compact(assertion.encode()).headers()
    assert header == {"typ": "JWT", "alg": alg, "kid": key.thumbprint()}
    world = World(OK)
    world.call()
    assert form_of(world).keys() == {"grant_type", "client_assertion_type", "client_assertion"}


def test_fapi_5_3_3_1_3_tokens_are_sent_in_the_header_alone() -> None:
    world = World(OK)
    world.call()
    (request,) = world.sent
    assert request.headers["authorization"] == "DPoP t-1"
    assert "t-1" not in request.url
    assert request.content is None


def test_fapi_5_3_3_1_5_the_audience_is_the_issuer_as_a_string() -> None:
    world = World(OK)
    world.call()
    claims = jwt.decode(form_of(world)["client_assertion"][0], KEY, algorithms=["ES256"]).claims
    assert claims["aud"] == ISSUER


def test_fapi_5_3_3_1_8_the_client_gives_the_nonce_that_it_is_asked_for() -> None:
    wanted = {"www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": "n-2"}
    world, granted = World(Answer(401, wanted, b"{}"), OK), World().token
    world.token = lambda number: (
        answer(400, {"error": "use_dpop_nonce"}, dpop_nonce="n-1") if number == 1 else granted(number)
    )
    world.call()
    assert [proof_in(one).get("nonce") for one in world.token_requests] == [None, "n-1"]
    assert [proof_in(one, "t-2").get("nonce") for one in world.sent] == ["n-1", "n-2"]


def test_fapi_5_3_3_1_9_the_token_endpoint_is_the_one_of_the_metadata() -> None:
    world = World(OK, metadata=METADATA | {"token_endpoint": f"{ISSUER}/elsewhere/oauth2/token"})
    world.call()
    assert world.token_requests[0].url == f"{ISSUER}/elsewhere/oauth2/token"
    broken = World(OK)
    broken.metadata = answer(404, {"type": "t", "title": "t", "status": 404, "code": "not_found"})
    with pytest.raises(errors.NotFound):  # nothing is guessed
        broken.call()
    assert not broken.token_requests


@pytest.mark.parametrize("url", ["https://u:p@tsunagi.example", "https://tsunagi.example/api", "https://x?y"])
def test_fapi_5_3_3_1_10_the_issuer_is_what_the_caller_configured(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Tsunagi(url, client_id="c", key=KEY)


@pytest.mark.parametrize("issuer", ["https://other.example", ISSUER + "/", None])
def test_fapi_5_3_3_1_11_the_metadata_must_name_that_issuer(issuer: str | None) -> None:
    world = World(metadata=METADATA | {"issuer": issuer})
    with pytest.raises(UnexpectedAnswer, match="does not call itself"):
        world.call()
    assert not world.token_requests


def test_fapi_5_3_3_1_13_the_client_can_ask_for_less_than_it_may() -> None:
    world = World(OK, scopes=("consents:read",))
    world.call()
    assert form_of(world)["scope"] == ["consents:read"]
