"""The operations of the tags Meta and OAuth: the contract itself, tokens, discovery, health."""

import json
from datetime import UTC, datetime
from pathlib import Path

import fastapi_swagger
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from tsunagi.api import oauth
from tsunagi.api.edge import Call, Routes
from tsunagi.errors import NotFound, Unavailable

routes = Routes()

SWAGGER = Path(fastapi_swagger.__file__).parent / "resources"
_ASSETS = frozenset(path.name for path in SWAGGER.iterdir() if path.is_file())

_DOCS = """<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tsunagi（繋ぎ） API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = (
    # Swagger UI cannot sign: it takes a token of a client of the profile sandbox, which needs no proofs.
    'const bearer = {type: "http", scheme: "bearer", description: "sandbox: POST /oauth2/token"};\n'
    'fetch("/openapi.bundle.json").then((answer) => answer.json()).then((spec) => {\n'
    "  spec.components.securitySchemes.oauth2 = bearer;\n"
    '  SwaggerUIBundle({spec, dom_id: "#docs", deepLinking: true, displayOperationId: true, validatorUrl: null});\n'
    "});\n"
)
_POLICY = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
}
"""Swagger UI sets styles on its elements; everything it loads comes from this host."""


@routes.operation("issueToken")
async def issue_token(call: Call) -> Response:
    limits, now = call.services.limits, datetime.now(UTC)
    content_type = call.request.headers.get("content-type")
    claimed = oauth.claimed_client(content_type, call.raw)
    limits.admit_token_request(call.request, claimed, call.at)
    answer = await call.services.token_endpoint.answer(
        content_type,
        call.raw,
        call.request.headers.getlist("dpop"),
        now=now,
        request_id=call.request_id,
    )
    limits.token_answered(call.request, claimed, answer, call.at)
    return JSONResponse(dict(answer.body), answer.status, dict(answer.headers))


@routes.operation("getAuthorizationServerMetadata")
async def get_authorization_server_metadata(call: Call) -> Response:
    return JSONResponse(oauth.authorization_server_metadata(call.services.tokens))


@routes.operation("getSmartConfiguration")
async def get_smart_configuration(call: Call) -> Response:
    return JSONResponse(oauth.smart_configuration(call.services.tokens))


@routes.operation("getProtectedResourceMetadata")
async def get_protected_resource_metadata(call: Call) -> Response:
    return JSONResponse(oauth.protected_resource_metadata(call.services.tokens))


@routes.operation("getJwks")
async def get_jwks(call: Call) -> Response:
    return JSONResponse(oauth.jwks(call.services.tokens))


@routes.operation("getOpenapi")
async def get_openapi(call: Call) -> Response:
    return Response(call.services.contract.openapi_text, media_type="application/yaml")


@routes.operation("getOpenapiBundle")
async def get_openapi_bundle(call: Call) -> Response:
    return JSONResponse(call.services.contract.bundle())


@routes.operation("getSchema")
async def get_schema(call: Call) -> Response:
    """Only JSON files below schemas/ are served."""
    folder = (call.services.contract.folder / "schemas").resolve()
    path = (folder / call.parameters["path"].replace("\0", "")).resolve()
    if folder not in path.parents or path.suffix != ".json" or not path.is_file():
        raise NotFound
    return JSONResponse(json.loads(path.read_text()))


@routes.operation("getDocs")
async def get_docs(_call: Call) -> Response:
    return HTMLResponse(_DOCS, headers=_POLICY)


@routes.operation("getLiveness")
async def get_liveness(_call: Call) -> Response:
    return JSONResponse({"status": "ok"})


@routes.operation("getReadiness")
async def get_readiness(call: Call) -> Response:
    try:
        await call.services.db.ping()
    except Exception as error:  # whatever it is, this process cannot serve
        raise Unavailable from error
    return JSONResponse({"status": "ok"})


def docs_asset(name: str) -> Response:
    """What the docs page loads; not part of the contract."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _ASSETS:
        raise NotFound
    return FileResponse(SWAGGER / name)
