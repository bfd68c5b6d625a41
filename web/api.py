"""What there is not: any other address of the API."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from tracker.errors import Rejected

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.get("/<path:_rest>")
def unknown(_rest: str) -> dict[str, Any]:
    raise Rejected("api.unknown", "The API has no such address", "docs/api.md lists them")
