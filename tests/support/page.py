"""The real page over HTTP, as somebody sees it who came in by a one-time link."""

from __future__ import annotations

import itertools
import json
import urllib.request
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

from support.house import House
from support.site import PASSWORD, csrf_of

from tracker import people
from tracker.models import Company, Role

_count = itertools.count(1)


class Page:
    """A browser without eyes: `get` gives the text of a page, `json` what the API answers."""

    def __init__(self, house: House) -> None:
        self.url = house.settings.web_url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        link = f"/link/{_token(house)}"
        form = {"csrf": csrf_of(self.get(link)), "password": PASSWORD}
        with self.opener.open(self.url + link, urlencode(form).encode(), timeout=10) as answer:
            answer.read()

    def get(self, path: str) -> str:
        return self.read(path).decode()

    def read(self, path: str) -> bytes:
        with self.opener.open(self.url + path, timeout=10) as answer:
            content: bytes = answer.read()
        return content

    def json(self, path: str) -> Any:
        with self.opener.open(self.url + path, timeout=10) as answer:
            assert answer.headers["Content-Type"] == "application/json"
            return json.load(answer)


def _token(house: House) -> str:
    """A one-time link for a new manager of the house's company."""
    now = datetime.now(UTC)
    with house.database.write() as session:
        user = people.add_user(session, f"manager{next(_count)}@pallets.example", "Maria Manager", now)
        people.give_role(session, user, session.get_one(Company, house.company_id), Role.MANAGER)
        return people.make_login_link(session, user, now)
