"""The floor of the HTTP stack: reads a body and answers with as many bytes as the path asks for (`/8192`)."""

from typing import Any

_BYTES = b"x" * 4_000_000


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    size = int(scope["path"][1:])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BYTES[:size]})
