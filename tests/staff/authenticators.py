"""An authenticator in memory (WebAuthn level 3 section 6): what a browser sends for its passkey."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key

PRESENT_AND_VERIFIED, WITH_KEY = 0x05, 0x40


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class Authenticator:
    def __init__(self, origin: str, *, site: str = "127.0.0.1") -> None:
        self.origin, self.site = origin, site
        self.id, self._key, self.count = secrets.token_bytes(16), generate_private_key(SECP256R1()), 0

    def make(self, options: dict[str, Any]) -> str:
        numbers = self._key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        held = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        data = self._data(PRESENT_AND_VERIFIED | WITH_KEY) + held
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._said("webauthn.create", options, {"attestationObject": encoded(attestation)})

    def answer(self, options: dict[str, Any]) -> str:
        self.count += 1
        data, client = self._data(PRESENT_AND_VERIFIED), self._client("webauthn.get", options)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ECDSA(hashes.SHA256()))
        response = {"authenticatorData": encoded(data), "signature": encoded(signature), "userHandle": None}
        return self._said("webauthn.get", options, response)

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.site.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        client = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(client).encode()

    def _said(self, kind: str, options: dict[str, Any], response: dict[str, Any]) -> str:
        client = encoded(self._client(kind, options))
        said = {"id": encoded(self.id), "rawId": encoded(self.id), "type": "public-key"}
        return json.dumps(said | {"response": {"clientDataJSON": client} | response})
