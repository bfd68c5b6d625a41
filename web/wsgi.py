"""The application for a WSGI server: `granian --factory web.wsgi:make`."""

from __future__ import annotations

import gc
import os
import sys

from flask import Flask

from tracker import logs
from tracker.database import Database
from tracker.settings import read_settings
from web.app import create_app


def make() -> Flask:
    """The application of this machine, its settings read now and not at import."""
    settings = read_settings(os.environ)
    logs.set_up(settings, "web")
    # Four threads serve; nobody waits for the database longer than a person waits for a page.
    app = create_app(
        settings,
        Database(
            settings.database_url, secret_key=settings.secret_key, wait_seconds=5, connections=4,
            trusted_seconds=1,
        ),
    )  # fmt: skip
    # What is loaded now stays as long as the process. A full collection would look through all of it (150,000
    # objects) each time, and hold up every request for 50 ms and more.
    gc.collect()
    gc.freeze()
    # A thread that comes back from the database waits for the interpreter so long, each time, while others
    # compute: at Python's own 5 ms that is most of what an answer takes.
    sys.setswitchinterval(0.001)
    return app
