"""A small OpenID provider: a server of its own, in a thread of its own, spoken to over HTTP; it can be told to behave
badly. It asks for nobody's password: who signs in says who they are."""

import base64
import functools
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64encode

CLIENT_ID, CLIENT_SECRET = "tsunagi pages", "a+secret/with:signs%"
"""Such as have to be encoded on the way."""


def new_key(algorithm: str) -> Any:
    parameters = {"kid": secrets.token_hex(4), "use": "sig"}
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", parameters)
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", parameters)
    return RSAKey.import_key(_rsa(), parameters)


@functools.cache
def _rsa() -> dict[str, Any]:
    """Looking for two primes takes longer than most tests."""
    return dict(RSAKey.generate_key(2048).as_dict(private=True))


@dataclass
class Granted:
    """What a code was given for."""

    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    subject: str
    at: float


@dataclass
class Manners:
    """How it behaves. What is left as it is is right."""

    algorithm: str = "ES256"
    claims: dict[str, Any] = field(default_factory=dict)
    """In place of those that are right; None: left out."""
    document: dict[str, Any] = field(default_factory=dict)
    kid: str | None = None
    signs_with: Any = None
    iss: str | None = None
    """In the address that leads back."""
    error: str | None = None
    token: tuple[int, str] | None = None
    """What the token endpoint answers, whatever it is asked."""
    seconds: float = 0
    """Until the token endpoint answers."""
    amr: list[str] | None = field(default_factory=lambda: ["pwd", "otp"])


class OpenIdProvider:
    def __init__(self) -> None:
        self.manners = Manners()
        self.keys = {name: new_key(name) for name in ("ES256", "RS256", "EdDSA")}
        self.keys["PS256"] = self.keys["RS256"]
        self.granted: dict[str, Granted] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Method and path, and what was sent."""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def count(self, request: str) -> int:
        return sum(one == request for one, _ in self.asked)

    def document(self) -> dict[str, Any]:
        base = self.issuer
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "PS256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.manners.document,
        }

    def jwks(self) -> dict[str, Any]:
        published = [self.keys[name] for name in ("ES256", "RS256", "EdDSA")]
        return {"keys": [key.as_dict(private=False) for key in published]}

    def authorized(self, asked: dict[str, str], subject: str) -> str:
        """Where the browser is sent back to."""
        back = {"state": asked["state"], "iss": self.manners.iss or self.issuer}
        if self.document().get("authorization_response_iss_parameter_supported") is not True:
            del back["iss"]
        if self.manners.error:
            return f"{asked['redirect_uri']}?{urlencode(back | {'error': self.manners.error})}"
        code = secrets.token_urlsafe(16)
        self.granted[code] = Granted(
            client_id=asked["client_id"],
            redirect_uri=asked["redirect_uri"],
            nonce=asked["nonce"],
            challenge=asked["code_challenge"],
            subject=subject,
            at=time.time(),
        )
        return f"{asked['redirect_uri']}?{urlencode(back | {'code': code})}"

    def token(self, asked: dict[str, str], authorization: str | None) -> tuple[int, dict[str, Any]]:
        if not self._is_client(asked, authorization):
            return 401, {"error": "invalid_client"}
        grant = self.granted.pop(asked.get("code", ""), None)
        if (
            grant is None
            or asked.get("grant_type") != "authorization_code"
            or grant.redirect_uri != asked.get("redirect_uri")
            or grant.challenge != create_s256_code_challenge(asked.get("code_verifier", ""))
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.id_token(grant)}

    def _is_client(self, asked: dict[str, str], authorization: str | None) -> bool:
        if authorization is not None:
            known = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
            return [unquote_plus(one) for one in known] == [CLIENT_ID, CLIENT_SECRET]
        return (asked.get("client_id"), asked.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)

    def id_token(self, grant: Granted) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": grant.client_id,
            "exp": now + 300,
            "iat": now,
            "nonce": grant.nonce,
            "auth_time": int(grant.at),
            "amr": self.manners.amr,
            **self.manners.claims,
        }
        payload = {name: value for name, value in claims.items() if value is not None}
        algorithm = self.manners.algorithm
        if algorithm == "none":
            return f"{_part({'alg': 'none'})}.{_part(payload)}."
        shared = OctKey.import_key(CLIENT_SECRET)
        key = self.manners.signs_with or (shared if algorithm == "HS256" else self.keys[algorithm])
        header = {"alg": algorithm, "kid": self.manners.kid or key.kid or "shared"}
        signed = f"{_part(header)}.{_part(payload)}"
        signature = jws.JWSRegistry.algorithms[algorithm].sign(signed.encode(), key)
        return f"{signed}.{urlsafe_b64encode(signature).decode()}"


def _part(said: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(said).encode()).decode()


def handler(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            provider.asked.append((f"GET {url.path}", asked))
            match url.path:
                case "/.well-known/openid-configuration":
                    self.say(200, provider.document())
                case "/jwks":
                    self.say(200, provider.jwks())
                case "/authorize":
                    self.page(asked)
                case _:
                    self.say(404, {})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            asked = {name: values[0] for name, values in parse_qs(sent).items()}
            provider.asked.append((f"POST {self.path}", asked))
            if self.path == "/login":
                self.send_response(303)
                self.send_header("Location", provider.authorized(asked, asked["who"]))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            time.sleep(provider.manners.seconds)
            if provider.manners.token:
                status, text = provider.manners.token
                self.send(status, "application/json", text)
            else:
                self.say(*provider.token(asked, self.headers.get("Authorization")))

        def page(self, asked: dict[str, str]) -> None:
            hidden = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in asked.items()
            )
            self.send(
                200,
                "text/html; charset=utf-8",
                '<!doctype html><html lang="ja"><title>provider</title><form method="post" action="/login">'
                f'{hidden}<label>Who <input name="who"></label><button>Sign in here</button></form></html>',
            )

        def say(self, status: int, said: dict[str, Any]) -> None:
            self.send(status, "application/json", json.dumps(said))

        def send(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def serving() -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider()
    thread = threading.Thread(
        target=provider.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()
