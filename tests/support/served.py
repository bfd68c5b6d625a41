"""What a running page of a browser's test stands on: books of its own, and a browser that has logged in.

with books_in(folder) as (settings, database), serving(settings) as url:
    page = log_in(open_page(browser, url), url, database, OWNER)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page
from support.books import KEY, sqlite_books
from support.browser import open_page
from support.recorded import settings_in
from support.showroom import OWNER

from tracker import logins, people
from tracker.database import Database
from tracker.settings import Settings


@contextmanager
def books_in(folder: Path) -> Iterator[tuple[Settings, Database]]:
    """An installation below `folder` with an empty SQLite database."""
    settings = settings_in(folder, database_url=sqlite_books(folder))
    database = Database(settings.database_url, secret_key=KEY)
    yield settings, database
    database.close()


def log_in(page: Page, url: str, database: Database, email: str) -> Page:
    """Gives the page's browser a session of that user, as if he had logged in."""
    with database.write() as session:
        user = people.find_user(session, email)
        token = logins.start_session(session, user, logins.Client("127.0.0.1"), datetime.now(UTC))
    page.context.add_cookies([{"name": "leaseline", "value": token, "url": url}])
    return page


class Served:
    """A running page, and its database."""

    def __init__(self, url: str, database: Database) -> None:
        self.url, self.database = url, database

    def open(self, browser: Browser, size: str = "desktop", *, dark: bool = False) -> Page:
        """A page of a browser in which the owner has logged in."""
        return log_in(open_page(browser, self.url, size=size, dark=dark), self.url, self.database, OWNER)
