"""Which call a request is about: the log's lines carry its key, and what was asked for is one of them."""

from __future__ import annotations

import logging

from flask import Flask, Response, request

from tracker import logs

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def _begin() -> None:
    logs.about_from_now(_key())


def _tell(response: Response) -> Response:
    """Who it was and what he did stands in the audit log."""
    if _key() and request.url_rule:
        level = logging.DEBUG if request.method in {"GET", "HEAD"} else logging.INFO
        log.log(level, "%s %s: %d", request.method, request.url_rule.rule, response.status_code)
    return response


def _end(_error: BaseException | None) -> None:
    logs.about_from_now(None)


def _key() -> str | None:
    key = (request.view_args or {}).get("key")
    return key if isinstance(key, str) else None
