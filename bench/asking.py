"""Requests to the application itself, without a client around it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.play import Play, bearer


@dataclass
class Asking:
    play: Play

    @property
    def app(self) -> Any:
        return self.play.http._transport.app  # type: ignore[attr-defined]  # httpx2 has no public name for it

    async def ask(self, who: Any, method: str, path: str, body: bytes = b"") -> bytes:
        head = bearer(self.play.tokens, who)
        if method == "POST":
            head |= {"Content-Type": "application/json", "Idempotency-Key": str(time.perf_counter_ns())}
        return await self._send(method, path, head, body)

    async def look(self, token: str, path: str) -> bytes:
        """A page, for whoever has that session."""
        return await self._send("GET", path, {"Cookie": f"session={token}"}, b"")

    async def _send(self, method: str, target: str, head: Mapping[str, str], body: bytes) -> bytes:
        path, _, query = target.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in head.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return waiting.pop() if waiting else await asyncio.Future()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        if sent[0]["status"] != 200 and (method == "GET" or sent[0]["status"] >= 300):
            raise RuntimeError(f"{method} {target}: {sent[0]['status']}")
        return b"".join(one.get("body", b"") for one in sent[1:])
