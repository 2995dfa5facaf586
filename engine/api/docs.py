"""The API's own description: OpenAPI, and a page of it with assets of ours."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

from engine.api.context import PREFIX

STATIC = Path(__file__).parent / "static"
_REF = "#/components/schemas/{model}"
_SCRIPT = f"""
SwaggerUIBundle({{
  url: "{PREFIX}/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
}});
"""
_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Postbench API</title>
<link rel="icon" href="{PREFIX}/static/favicon-32x32.png">
<link rel="stylesheet" href="{PREFIX}/static/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{PREFIX}/static/swagger-ui-bundle.js"></script>
<script>{_SCRIPT}</script>
</body>
</html>
"""
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; script-src 'self' 'sha256-{_HASH}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/")
async def index() -> RedirectResponse:
    """Bare `/api`."""
    return RedirectResponse(f"{PREFIX}/docs")


def install(app: FastAPI, bodies: Sequence[type[BaseModel]]) -> None:
    """Serve the page and its assets, and describe these request bodies, which endpoints read by themselves."""
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app, bodies)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI, bodies: Sequence[type[BaseModel]]) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        servers=[{"url": PREFIX}],
        tags=app.openapi_tags,
    )
    _, defined = models_json_schema([(body, "validation") for body in bodies], by_alias=True, ref_template=_REF)
    components = schema.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **defined.get("$defs", {})}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}, {}]
    return schema
