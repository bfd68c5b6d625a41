"""How often one program or person may ask the API: token buckets in this process's memory (web.limits)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, Response, current_app, g

from tracker.errors import Rejected
from web.house import house
from web.limits import Buckets, Rate
from web.viewer import by_program, viewer

_NAME = "leaseline.api"


def install(app: Flask, clock: Callable[[], float]) -> None:
    """`clock` gives monotonic seconds."""
    each = app.extensions["leaseline"].settings.api_per_minute
    app.extensions[_NAME] = Buckets(Rate(max(1, each), max(1, each) / 60), clock)
    app.after_request(_tell)


def asker() -> str:
    """Who asks: a program of a company, or a person."""
    who = viewer()
    return f"{who.companies[0].id}:{who.email}" if by_program() else f"user:{who.user_id}"


@contextmanager
def counted() -> Iterator[None]:
    """Counts a request. Raises Rejected `api.too_many` when there were too many."""
    if not house().settings.api_per_minute:
        yield
        return
    buckets: Buckets = current_app.extensions[_NAME]
    wait = buckets.take(asker())
    g.api_left = (int(buckets.left(asker())), wait)
    if wait:
        raise Rejected(
            "api.too_many", "You ask too often", "Wait %(seconds)s s, and ask for more at once",
            seconds=math.ceil(wait),
        )  # fmt: skip
    yield


def _tell(response: Response) -> Response:
    """How much is left of it, with every answer of the API."""
    if (told := g.get("api_left")) is None:
        return response
    left, wait = told
    rate = current_app.extensions[_NAME].rate
    response.headers["RateLimit-Limit"] = str(int(rate.burst))
    response.headers["RateLimit-Remaining"] = str(left)
    response.headers["RateLimit-Reset"] = str(math.ceil((rate.burst - left) / rate.per_second))
    if wait:
        response.headers["Retry-After"] = str(math.ceil(wait))
    return response
