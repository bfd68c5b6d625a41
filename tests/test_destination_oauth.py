"""Destinations that are let in by OAuth 2: connected once, renewed in time, one-use tokens never lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from support.settings_page import actions, admin
from support.site import Site as House
from support.site import log_in
from support.standin import Said, StandIn
from support.standins import DOUBLES
from support.standins.amocrm import ACCESS, CALLS, CLIENT, Account
from support.told import Told

from tracker import alert_facts, destination_access
from tracker.database import Database
from tracker.destination_list import describe
from tracker.destination_safe import HOLD, Safe
from tracker.destinations import KINDS, oauth
from tracker.errors import Rejected
from tracker.models import Destination, RecordingState, Role
from tracker.outside import Reply, Trouble

AT = "/settings/pallets/destinations/1"
DAY = timedelta(days=1)


@pytest.fixture
def account(told: Told) -> Iterator[tuple[StandIn, Account]]:
    """An account, and a destination that is not connected yet."""
    double = Account()
    with double.serve() as server:
        told.add("amocrm", {"address": server.url, **CLIENT})
        yield server, double


def secrets(told: Told) -> dict[str, str]:
    return told.vault.open(told.destination().secrets)


def safe(told: Told) -> Safe:
    return Safe(told.database, told.vault, told.destination().id, told.clock)


def connect(told: Told, code: str = "def50200-code") -> None:
    destination_access.connect(told.destination(), safe(told), told.settings, code, told.clock())


def call(told: Told, key: str) -> None:
    told.call(key)
    told.recording(key, RecordingState.READY, b"ID3")


def state(told: Told) -> str:
    return str(describe(told.destination())["state"])


def test_what_is_told_waits_until_somebody_connects_it(told: Told, account: tuple[StandIn, Account]) -> None:
    server, double = account
    assert state(told) == "disconnected"
    call(told, "one")
    told.send()
    assert server.asked == []
    connect(told)
    assert state(told) == "failing"  # until the next try
    told.pass_time(minutes=1)
    told.send()
    assert double.taken == ["one"]
    assert (state(told), double.grants) == ("on", ["authorization_code"])


def test_what_was_granted_is_dropped_when_the_address_changes(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    connect(told)
    with pytest.raises(Rejected, match="The stored client_id, client_secret would be sent"):
        told.change({"address": "https://evil.example"})
    told.change({"address": "https://evil.example", **CLIENT})
    assert (secrets(told), state(told)) == (CLIENT, "disconnected")


def test_a_token_is_renewed_before_it_ends_and_the_new_ones_are_kept(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    _, double = account
    connect(told)
    for key in ("one", "two", "three"):
        told.pass_time(hours=23, minutes=56)  # a token lives for a day
        call(told, key)
        told.send()
    assert double.taken == ["one", "two", "three"]
    assert double.grants == ["authorization_code"] + ["refresh_token"] * 3
    assert secrets(told)["refresh_token"] == "refresh-4"
    assert [each.tries for each in told.deliveries()] == [1, 1, 1]


def test_a_token_that_ended_early_is_renewed_at_once(told: Told, account: tuple[StandIn, Account]) -> None:
    server, double = account
    connect(told)
    double.ended = {"access-1"}
    call(told, "one")
    told.send()
    assert double.taken == ["one"]
    assert [each.path for each in server.asked] == [ACCESS, CALLS, ACCESS, CALLS]


def test_a_renewal_that_does_not_work_holds_up_nothing_while_the_token_is_good(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    server, double = account
    connect(told)
    told.pass_time(hours=23, minutes=56)
    call(told, "one")
    server.said = [Said(503, to=ACCESS)]
    told.send()
    assert double.taken == ["one"]
    assert secrets(told)["refresh_token"] == "refresh-1"


def test_a_new_refresh_token_whose_answer_was_lost_leads_to_an_alert_and_no_loss(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    _, double = account
    connect(told)
    told.clock.now += 2 * DAY
    call(told, "one")
    double.swallowed = ACCESS
    told.send(told.worker(seconds=0.3))
    assert state(told) == "failing"  # it may have been anything
    double.swallowed = ""
    double.hangs.set()
    told.pass_time(seconds=6)
    told.send()
    assert state(told) == "disconnected"
    assert "revoked" in str(told.destination().answer)
    told.pass_time(minutes=15)
    with told.database.read() as session:
        (failing,) = alert_facts._destinations(session)
    assert (failing.shut_out, failing.waiting) == (True, 1)
    double.code = "another"
    connect(told, "another")
    told.pass_time(hours=1)
    told.send()
    assert (double.taken, state(told)) == (["one"], "on")


def test_two_workers_do_not_both_renew(database: Database, tmp_path: Path, now: datetime) -> None:
    told = Told(database, tmp_path, now)
    told.add("amocrm", {"address": "https://shop.amocrm.ru", **CLIENT})
    known = secrets(told)
    first, second = safe(told), safe(told)
    assert first.begin(known) is None
    with pytest.raises(Trouble):
        second.begin(known)
    first.keep({"access_token": "new", "refresh_token": "newer"})
    assert (second.begin(known) or {})["refresh_token"] == "newer"
    assert second.begin(secrets(told)) is None  # it let go of it
    told.clock.now += HOLD  # it died
    assert first.begin(secrets(told)) is None


def test_of_many_at_once_one_renews_and_the_others_use_what_it_got(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    _, double = account
    connect(told)
    told.clock.now += 2 * DAY
    tried = [threading.Thread(target=told.try_out) for _ in range(6)]
    for each in tried:
        each.start()
    for each in tried:
        each.join(20)
    assert double.grants == ["authorization_code", "refresh_token"]
    assert secrets(told)["refresh_token"] == "refresh-2"


def test_a_wrong_code_is_refused_with_what_was_said(told: Told, account: tuple[StandIn, Account]) -> None:
    with pytest.raises(Rejected, match="revoked"):
        connect(told, "wrong")
    assert state(told) == "disconnected"


def test_who_types_another_secret_is_not_let_in_by_the_token_of_before(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    connect(told)
    told.change({"client_secret": "another"})
    assert "access_token" not in secrets(told)


@pytest.mark.parametrize("kind", sorted(word for word, it in KINDS.items() if it.oauth))
def test_every_kind_that_is_connected_asks_for_a_code_with_our_state(told: Told, kind: str) -> None:
    values = DOUBLES[kind]().values("https://there.example") | CLIENT
    told.add(kind, {name: text for name, text in values.items() if name not in {"refresh_token", "token"}})
    it = told.destination()
    asked = destination_access.question(it, safe(told), told.settings, ("pallets", "s"), told.clock())
    query = {name: value[0] for name, value in parse_qs(urlsplit(asked).query).items()}
    assert (query["client_id"], query["response_type"]) == (CLIENT["client_id"], "code")
    assert destination_access.read_state(told.settings, "s", query["state"], told.clock()) == (
        "pallets",
        it.id,
    )
    for who, late in (("other", 0), ("s", 31)):
        with pytest.raises(Rejected):
            at = told.clock() + timedelta(minutes=late)
            destination_access.read_state(told.settings, who, query["state"], at)
    assert CLIENT["client_secret"] not in asked
    assert (query.get("redirect_uri", "").endswith("/connected")) is KINDS[kind].oauth.says_redirect  # type: ignore[union-attr]


def test_the_page_leads_over_there_and_takes_what_comes_back(
    told: Told, account: tuple[StandIn, Account], tmp_path: Path
) -> None:
    house = House(told.database, told.settings, told.clock())
    ann = admin(house)
    assert "To be connected" in ann.get(AT).text
    asked = ann.get(f"{AT}/connect").headers["Location"]
    assert asked.startswith("https://www.kommo.com/oauth?")
    stamp = parse_qs(urlsplit(asked).query)["state"][0]
    other = log_in(house, "bob@pallets.example", pallets=Role.ADMIN)
    assert other.get(f"/connected?code=def50200-code&state={stamp}").status_code == 403
    assert ann.get("/connected?code=def50200-code&state=pallets.1.9.9").status_code == 403
    refused = ann.get(f"/connected?code=wrong&state={stamp}")
    assert refused.status_code == 400
    assert "was not connected" in refused.text
    account[1].code = "def50200-code"
    back = ann.get(f"/connected?code=def50200-code&state={stamp}")
    assert (back.status_code, back.headers["Location"]) == (303, f"{AT}?saved")
    assert "renews its access by itself" in ann.get(AT).text
    assert secrets(told)["refresh_token"] == "refresh-1"
    assert actions(house)[-1] == "destination.connect"


def test_what_was_not_filled_in_cannot_be_connected(told: Told) -> None:
    told.add("ga4", DOUBLES["ga4"]().values("https://there.example"))
    with pytest.raises(Rejected, match="not connected in this way"):
        destination_access.question(
            told.destination(), safe(told), told.settings, ("pallets", "s"), told.clock()
        )


def test_a_token_is_believed_for_ten_years_at_most(told: Told) -> None:
    body = b'{"access_token": "x", "expires_in": 1000000000000}'
    kept = oauth._tokens(Reply(200, "OK", {}, body), told.clock())
    assert kept["access_until"] < (told.clock() + 4000 * DAY).isoformat()


def test_amocrm_is_let_in_by_either_way(told: Told) -> None:
    with pytest.raises(Rejected, match="needs token"):
        told.add("amocrm", {"address": "https://shop.amocrm.ru"})
    with told.pointing("amocrm") as (_, found):
        call(told, "one")
        told.send()
        assert (found.taken, cast("Account", found).grants) == (["one"], [])
        with told.database.read() as session:
            assert session.scalar(sa.select(Destination.disconnected_at)) is None
