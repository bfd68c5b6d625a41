"""`leaseline destination` and `delivery`: connecting, taking a secret away, asking where a call went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from support.command import Installation
from support.facts import Pallets, ended, started
from support.standin import stand_in
from support.standins.amocrm import CLIENT, Account

from tracker.books import record_all
from tracker.database import Database
from tracker.models import Call, Delivery
from tracker.settings import read_settings

FIELDS = ("--set", f"client_id={CLIENT['client_id']}", "--set", f"client_secret={CLIENT['client_secret']}")


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    made = Installation(tmp_path / "home", {"LEASELINE_WEBHOOK_NETWORKS": "127.0.0.0/8"})
    made.done("company", "add", "pallets", "--region", "RU", "--timezone", "Europe/Moscow")
    return made


def state(here: Installation) -> str:
    (it,) = here.json_anyway("destination", "list")
    return str(it["state"])


def test_a_destination_is_connected_by_an_answer_that_is_brought_back(here: Installation) -> None:
    account = Account()
    with stand_in(account.answer) as server:
        here.done("destination", "add", "amocrm", "--set", f"address={server.url}", *FIELDS)
        assert state(here) == "disconnected"
        asked = here.done("destination", "connect", "amoCRM / Kommo")
        assert "/connected\n" in asked
        stamp = parse_qs(urlsplit(asked.split()[-1]).query)["state"][0]
        back = f"https://calls.example/connected?code={account.code}&state="
        assert "no answer to a question of yours" in here.refused(
            "destination", "connect", "amoCRM / Kommo", "--answer", f"{back}{stamp}x"
        )
        here.done("destination", "connect", "amoCRM / Kommo", "--answer", back + stamp)
        assert state(here) == "on"
        assert "It was taken" in here.done("destination", "test", "amoCRM / Kommo")


def test_an_optional_secret_is_taken_away(here: Installation) -> None:
    here.done("destination", "add", "google_ads", "--set", "customer_id=123-456-7890", "--set",
              "conversion_action=7012345678", *FIELDS, "--set", "refresh_token=1//0g")  # fmt: skip
    assert state(here) == "on"
    here.done("destination", "change", "Google Ads", "--set", "refresh_token=")
    assert state(here) == "disconnected"


def test_a_call_says_where_it_went_and_why_not(here: Installation) -> None:
    now = datetime.now(UTC)
    here.done("number", "add", Pallets.billboard)
    webhook = ("destination", "add", "webhook", "--set", "url=https://hooks.example/x", "--name")
    here.done(*webhook, "shop")
    database = Database(read_settings(here.environ).database_url)
    with database.write() as session:
        at = now + timedelta(seconds=5)  # after the destination was added
        record_all(session, [started(Pallets.billboard, at, "one"), ended(at, "one")])
        session.execute(sa.update(Call).values(started_at=now - timedelta(hours=1)))
        session.execute(sa.update(Delivery).values(due_at=now))
    here.done(*webhook, "later")
    told = here.done("delivery", "list", "--call", "one")
    assert "It is about to be sent" in told
    assert "later was not told: The call began before the destination was added" in told
    here.done("destination", "pause", "shop")
    assert "The destination is paused" in here.done("delivery", "list", "--call", "one")
    assert "--all sends what it took" in here.done("delivery", "replay", "shop", "--since", "2026-01-01")
    with database.write() as session:
        session.execute(sa.update(Delivery).values(given_up_at=now, why="refused", answer="400 No"))
    assert "It was not taken · 400 No" in here.done("delivery", "list", "--call", "one")
    assert "again: 1" in here.done("delivery", "replay", "shop", "--since", "2026-01-01")
    database.close()
