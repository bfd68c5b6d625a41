"""The document of the API, for whoever may want to read it: it says nothing of this installation's data."""

from __future__ import annotations

from functools import cache
from typing import cast

from flask import Blueprint, Flask, current_app
from werkzeug.wrappers import Response

from web.house import house
from web.public import public
from web.rest.answering import answer_of, dumped
from web.rest.document import document

api = Blueprint("rest_about", __name__, url_prefix="/api/v1")


@api.get("/openapi.json")
@public
def show_document() -> Response:
    """The OpenAPI 3.1 document."""
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    return answer_of(200, _document(app, house().settings.web_url))


@cache
def _document(app: Flask, url: str) -> str:
    return dumped(document(app, url))
