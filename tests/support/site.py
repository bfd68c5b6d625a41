"""The page without a server: Flask's own client, logged in as whom a test likes.

site = Site(database, settings, now)
ann = site.log_in("ann@pallets.example", company_id)     # a FlaskClient with her cookie
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from support.app import make_app
from werkzeug.test import TestResponse

from tracker import logins, people
from tracker.database import Database
from tracker.models import Company, Role
from tracker.settings import Settings

PASSWORD = "correct horse battery"
HASHED = people.hash_password(PASSWORD)


class _Browser(FlaskClient):
    """Reads each answer to its end, as a browser does: a file that was sent is closed."""

    def open(self, *arguments: Any, **more: Any) -> TestResponse:
        return super().open(*arguments, **{"buffered": True, **more})


class Site:
    """An application whose clock stands until a test moves `now`."""

    def __init__(self, database: Database, settings: Settings, now: datetime) -> None:
        self.database, self.settings, self.now = database, settings, now
        self.app = make_app(settings, database, lambda: self.now)
        self.app.test_client_class = _Browser

    def later(self, **more: float) -> None:
        self.now += timedelta(**more)

    def add_user(self, email: str, *company_ids: int) -> None:
        """A user with PASSWORD who manages these companies."""
        with self.database.write() as session:
            user = people.add_user(session, email, email.split("@", maxsplit=1)[0].title(), self.now)
            user.password_hash = HASHED
            for company_id in company_ids:
                people.give_role(session, user, session.get_one(Company, company_id), Role.MANAGER)

    def log_in(self, email: str, *company_ids: int) -> FlaskClient:
        """A browser with a new user's session in its cookie."""
        self.add_user(email, *company_ids)
        with self.database.write() as session:
            client = logins.Client("127.0.0.1", "tests")
            token = logins.start_session(session, people.find_user(session, email), client, self.now)
        browser = self.app.test_client()
        browser.set_cookie("leaseline", token)
        return browser

    def open_link(self, email: str) -> str:
        """The path of a fresh one-time link."""
        with self.database.write() as session:
            token = people.make_login_link(session, people.find_user(session, email), self.now)
        return f"/link/{token}"


def log_in(site: Site, email: str, **roles: Role) -> FlaskClient:
    """A browser of a new user with these roles, by company."""
    browser = site.log_in(email)
    with site.database.write() as session:
        for slug, role in roles.items():
            company = session.scalars(sa.select(Company).where(Company.slug == slug)).one()
            people.give_role(session, people.find_user(session, email), company, role)
    return browser


def csrf_token(browser: FlaskClient) -> str:
    """What a form of the browser's session carries; good as long as the session."""
    cookie = browser.get_cookie("leaseline")
    assert cookie is not None, "nobody is logged in"
    if cookie.value not in _TOKENS:
        _TOKENS[cookie.value] = csrf_of(browser.get("/account").text)
    return _TOKENS[cookie.value]


_TOKENS: dict[str, str] = {}  # by session


def csrf_of(html: str) -> str:
    """The token in a page's first form."""
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found, html[:500]
    return found.group(1)


def try_password(browser: FlaskClient, email: str, password: str, address: str = "192.0.2.1") -> int:
    """Sends the log-in form as a browser would; the status of the answer."""
    environ = {"REMOTE_ADDR": address}
    token = csrf_of(browser.get("/login", environ_overrides=environ).text)
    form = {"csrf": token, "email": email, "password": password}
    return browser.post("/login", data=form, environ_overrides=environ).status_code
