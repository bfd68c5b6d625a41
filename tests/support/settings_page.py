"""Settings in the page, without a browser: Pallets and a rival, an admin, forms that are sent to them."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from pathlib import Path

import sqlalchemy as sa
from flask.testing import FlaskClient
from support.facts import add_number, add_pallets
from support.recorded import settings_in
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker.database import Database
from tracker.models import AuditEntry, Channel, Company, Number, Role

JSON = {"Accept": "application/json"}
HERE = "/settings/pallets"


def two_companies(database: Database, folder: Path, now: datetime) -> Site:
    """Pallets (1) and a rival (2), who has a channel, a number."""
    with database.write() as session:
        add_pallets(session, now)
        rival = Company(slug="rival", name="Rival", default_region="DE", created_at=now)
        session.add(rival)
        session.flush()
        channel = Channel(company_id=rival.id, name="Secret bus", source="bus", created_at=now)
        session.add(channel)
        session.flush()
        add_number(session, rival.id, "+493011112222", now, channel_id=channel.id)
    return Site(database, settings_in(folder, secret_key="k" * 40), now)


def admin(site: Site) -> FlaskClient:
    return log_in(site, "ann@pallets.example", pallets=Role.ADMIN)


def send(browser: FlaskClient, path: str, **form: str) -> TestResponse:
    return browser.post(path, data={"csrf": csrf_token(browser), **form})


def done(answer: TestResponse) -> str:
    """Where it led on to."""
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removesuffix("?saved")


def field(html: str, name: str) -> str:
    """What is around a field: its label, error and help."""
    found = re.search(rf'<div class="field[^>]*>\s*<label for="{name}".*?</div>', html, re.DOTALL)
    assert found, html
    return found.group()


def refused(answer: TestResponse, name: str, *words: str) -> str:
    """The page again, with the refusal beside that field; above the form where it is none's."""
    assert answer.status_code == 400, answer.text
    if name:
        assert 'aria-invalid="true"' in field(answer.text, name)
        place = field(answer.text, name)
    else:
        found = re.search(r'<p class="problem" role="alert">.*?</p>', answer.text, re.DOTALL)
        assert found, answer.text
        place = found.group()
    for word in words:
        assert word in unescape(place)
    return answer.text


def number(site: Site, e164: str) -> Number:
    with site.database.read() as session:
        return session.scalars(sa.select(Number).where(Number.e164 == e164)).one()


def actions(site: Site) -> list[str]:
    with site.database.read() as session:
        return list(session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))
