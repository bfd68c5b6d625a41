"""HTTP in, HTML and JSON out: pages, API, health.

    web.run(settings)                      # `leaseline web`
    app = web.create_app(settings, database)

Both load what they need when called: granian's main process serves nothing and stays small without Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from tracker.database import Database
    from tracker.settings import Settings


def create_app(settings: Settings, database: Database) -> Flask:
    """The WSGI application. Raises Rejected `web.unbuilt` when the front-end was not built."""
    from web.app import create_app as create

    return create(settings, database)


def run(settings: Settings) -> None:
    """Serve the page until told to stop (SIGTERM, SIGINT); logs go to stderr."""
    from web.serve import run as serve

    serve(settings)
