"""HTTP in, HTML and JSON out: pages, API, health."""

from web.app import create_app
from web.serve import run

__all__ = ["create_app", "run"]
