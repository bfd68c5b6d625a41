"""`leaseline web`: granian in front of the application."""

from __future__ import annotations

import os
from typing import Any

from tracker.logs import formatter
from tracker.settings import Settings

STREAMS = 4  # that a process keeps open at once (web.rest.going)


def run(settings: Settings) -> None:
    """Serve the page until told to stop (SIGTERM, SIGINT); logs go to stderr."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # The worker process reads its settings anew (web.wsgi), from the same home as this one did.
    os.environ["LEASELINE_HOME"] = str(settings.home)
    Server(
        "web.wsgi:make",
        factory=True,
        address=settings.web_host,
        port=settings.web_port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=4 + STREAMS,  # who listens takes no page's thread
        backpressure=64,  # beyond: the kernel's backlog queues them, not our memory
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning if settings.log_level in {"warning", "error"} else LogLevels.info,
        log_dictconfig=_as_ours(settings),
        websockets=False,
    ).serve()


def _as_ours(settings: Settings) -> dict[str, Any]:
    """The server's own lines look like the others."""
    return {
        "formatters": {"generic": {"()": lambda: formatter(settings, "web")}},
        "handlers": {
            "console": {
                "formatter": "generic",
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
    }
