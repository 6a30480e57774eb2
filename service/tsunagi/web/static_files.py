"""What pages load beside themselves: named with a hash of its content, so that it can be kept for ever."""

import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response

from tsunagi.errors import NotFound

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"

mimetypes.add_type("font/woff2", ".woff2")


@lru_cache
def asset(name: str) -> str:
    """The address of a file below `static/`."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


async def static_file(request: Request) -> Response:
    """Under the present hash's address it is kept for ever; what an older or newer page asks for is not mistaken for
    it. Raises NotFound."""
    path = (FOLDER / request.path_params["name"].replace("\0", "")).resolve()
    if FOLDER.resolve() not in path.parents or not path.is_file():
        raise NotFound
    present = asset(path.relative_to(FOLDER.resolve()).as_posix()).rpartition("=")[2]
    kept = FOR_EVER if request.query_params.get("v") == present else "no-cache"
    return FileResponse(path, headers={"Cache-Control": kept})
