"""The application for a WSGI server: `granian --factory web.wsgi:make`."""

from __future__ import annotations

import logging
import os

from flask import Flask

from tracker.database import Database
from tracker.settings import read_settings
from web.app import create_app


def make() -> Flask:
    """The application of this machine, its settings read now and not at import."""
    settings = read_settings(os.environ)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # Four threads serve; nobody waits for the database longer than a person waits for a page.
    return create_app(settings, Database(settings.database_url, wait_seconds=5, connections=4))
