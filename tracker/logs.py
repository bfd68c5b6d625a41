"""Logs: a line for each thing that happened, as text or as a JSON object, with the key of the call it is of.

    with about(call): ...                                    # whatever is logged meanwhile is about that call
    log.info("stored", extra=of(call, seconds=12.5))         # this line is, and has figures

No caller's number, name or words are logged: what a call's key does not tell stands in the books.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from tracker.settings import Settings

_KEY = re.compile(r"[0-9A-Za-z._-]{1,40}")
_TEXT = "%(asctime)s %(levelname)s %(name)s %(said)s"

_call: ContextVar[str | None] = ContextVar("call", default=None)


@contextmanager
def about(call: str | None) -> Iterator[None]:
    """Lines logged meanwhile in this thread or task are about that call; what is no key of ours is none."""
    before = _call.set(_known(call))
    try:
        yield
    finally:
        _call.reset(before)


def about_from_now(call: str | None) -> None:
    """The same until another call is named, or none."""
    _call.set(_known(call))


def _known(call: str | None) -> str | None:
    return call if call and _KEY.fullmatch(call) else None


def of(call: str | None = None, **figures: object) -> dict[str, Any]:
    """For `extra=`: the call that a line is about, and what belongs to it word by word."""
    return {"call": call, "figures": figures}


def set_up(settings: Settings, process: str) -> None:
    """Have this process log to stderr as the settings say."""
    logging.basicConfig(level=settings.log_level.upper(), handlers=[_handler(settings, process)], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _handler(settings: Settings, process: str) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(settings, process))
    return handler


def formatter(settings: Settings, process: str) -> logging.Formatter:
    """How a line of that process looks."""
    return _Json(process, settings.node) if settings.log_format == "json" else _Text(_TEXT)


class _Text(logging.Formatter):
    """For people: `… leaseline.agi call=KEY said number=3`."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (its name in logging)
        key = _key_of(record)
        figures = [f"{name}={value}" for name, value in _figures_of(record).items()]
        call = [f"call={key}"] if key else []
        record.said = " ".join([*call, record.message, *figures])
        return super().formatMessage(record)


class _Json(logging.Formatter):
    """For programs: one object a line, whatever is in it."""

    def __init__(self, process: str, node: str) -> None:
        super().__init__()
        self._process, self._node = process, node

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "node": self._node,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if key := _key_of(record):
            said["call"] = key
        said |= {name: value for name, value in _figures_of(record).items() if name not in said}
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        if record.stack_info:
            said["stack"] = record.stack_info
        return json.dumps(said, ensure_ascii=False, default=str)


def _key_of(record: logging.LogRecord) -> str | None:
    return getattr(record, "call", None) or _call.get()


def _figures_of(record: logging.LogRecord) -> dict[str, object]:
    return dict(getattr(record, "figures", {}))
