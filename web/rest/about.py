"""What the API says of itself: its document, for whoever may want to read it, and a page for people.

The document says nothing of this installation's data, so it needs no log-in; generators of clients show none.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from flask import Blueprint, Flask, current_app, render_template
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from web.house import house
from web.public import public
from web.rest.answering import answer_of, dumped
from web.rest.document import document
from web.rest.guide import Chapter, chapters

api = Blueprint("rest_about", __name__)


@api.get("/api/v1/openapi.json")
@public
def show_document() -> Response:
    """The OpenAPI 3.1 document."""
    return answer_of(200, _read(*_asked())[0])


@api.get("/api/docs")
def guide() -> str:
    """The same to read, and to try what only reads."""
    _told, its, url = _read(*_asked())
    return render_template("api.html", chapters=its, url=url)


def _asked() -> tuple[Flask, str]:
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    return app, house().settings.web_url


@api.app_template_filter("coded")
def coded(text: str) -> Markup:
    """A text of the document, in which backticks mark what is typed."""
    parts = text.split("`")
    marked = (f"<code>{escape(it)}</code>" if at % 2 else escape(it) for at, it in enumerate(parts))
    return Markup("").join(Markup(it) for it in marked)  # noqa: S704  (each part is escaped)


@cache
def _read(app: Flask, url: str) -> tuple[str, list[Chapter], str]:
    its: dict[str, Any] = document(app, url)
    return dumped(its), chapters(its), url
