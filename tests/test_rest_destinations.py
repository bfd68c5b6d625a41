"""Destinations, deliveries and REST hooks over the API: as on the page, with no secret in any answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.rest import Program, program
from support.rest_checked import checked, cli, made, refused
from support.settings_page import actions
from support.site import Site
from support.standin import Asked, Said, StandIn, stand_in
from support.standins.webhook import SECRET, is_signed
from support.told import Told

from tracker.database import Database
from tracker.destinations import KINDS
from tracker.models import Category, Company
from tracker.policy.delivering import Event
from tracker.policy.rights import Scope

GA4 = {
    "kind": "ga4", "name": "Analytics", "options": {"measurement_id": "G-ABC1234567"},
    "secrets": {"api_secret": "s3cr3t-of-analytics"}, "events": ["call.completed"],
}  # fmt: skip


class Recipient:
    """Takes what is posted, until it is told to answer otherwise."""

    def __init__(self) -> None:
        self.status, self.heard = 200, list[Asked]()

    def answer(self, asked: Asked) -> Said:
        self.heard.append(asked)
        return Said(self.status)


@pytest.fixture
def it(sqlite: Database, tmp_path: Path, now: datetime) -> Told:
    return Told(sqlite, tmp_path, now)


@pytest.fixture
def site(it: Told, now: datetime) -> Site:
    with it.database.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    return Site(it.database, it.settings, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


@pytest.fixture
def recipient() -> Recipient:
    return Recipient()


@pytest.fixture
def server(recipient: Recipient) -> Iterator[StandIn]:
    with stand_in(recipient.answer) as server:
        yield server


def test_a_destination_is_added_changed_paused_and_deleted(site: Site, crm: Program, tmp_path: Path) -> None:
    made = crm.post("/destinations", GA4)
    path = made.headers["Location"].removeprefix("/api/v1")
    assert made.json == crm.get(path).json | {"secret": None}
    assert crm.get("/destinations").json["destinations"] == cli(site, tmp_path, "destination", "list")
    changed = crm.patch(path, {"options": {"measurement_id": "G-XYZ7654321"}, "name": "GA", "paused": True})
    assert (changed.json["options"]["measurement_id"], changed.json["name"], changed.json["state"]) == (
        "G-XYZ7654321", "GA", "paused",
    )  # fmt: skip
    assert crm.patch(path, {"paused": False, "events": ["call.categorised"]}).json["state"] == "on"
    assert refused(crm.patch(path, {"options": {"colour": "red"}})) == (400, "destination.field")
    assert refused(crm.patch(path, {"secrets": {"api_secret": ""}})) == (400, "destination.missing")
    assert refused(crm.post("/destinations", GA4 | {"name": "GA"})) == (409, "destination.duplicate")
    assert refused(crm.post("/destinations", GA4 | {"kind": "fax"})) == (404, "destination.kind")
    assert refused(crm.post("/destinations", GA4 | {"events": ["call.sung"]})) == (400, "request.invalid")
    rival = checked(program(site, *Scope, company_id=2))
    assert rival.get(path).status_code == rival.delete(path).status_code == 404
    assert crm.post(path + "/test", None).status_code == 200
    assert rival.post(path + "/test", None).status_code == 404
    assert crm.delete(path).status_code == 204
    assert "destination.delete" in actions(site)


def test_no_answer_ever_has_a_secret(site: Site, crm: Program) -> None:
    crm.post("/destinations", GA4)
    made = crm.post("/destinations", {"kind": "webhook", "options": {"url": "https://hooks.example/x"}})
    secret = made.json["secret"]
    assert secret.startswith("whsec_")
    given = {"options": {"url": "https://hooks.example/y"}, "secrets": {"secret": SECRET}, "name": "Given"}
    assert crm.post("/destinations", {"kind": "webhook"} | given).json["secret"] is None
    for path in ("/destinations", f"/destinations/{made.json['id']}", "/deliveries", "/hooks"):
        said = crm.get(path).text
        assert not any(each in said for each in (secret, SECRET, "s3cr3t-of-analytics", "whsec_")), path


def test_the_kinds_are_those_of_the_registry(crm: Program) -> None:
    kinds = {each["kind"]: each for each in crm.get("/destinations/kinds").json["kinds"]}
    assert kinds.keys() == KINDS.keys()
    assert [each["name"] for each in kinds["ga4"]["fields"] if each["secret"]] == ["api_secret"]


def test_a_test_is_sent_at_once_and_shown_masked(crm: Program, recipient: Recipient, server: StandIn) -> None:
    wish = {"kind": "webhook", "options": {"url": f"{server.url}/hook"}, "secrets": {"secret": SECRET,
            "headers": "X-Api-Key: very-secret-indeed"}}  # fmt: skip
    path = f"/destinations/{crm.post('/destinations', wish).json['id']}/test"
    told = crm.post(path, None).json
    assert told["delivered"]
    assert is_signed(recipient.heard[0], SECRET)
    assert recipient.heard[0].headers["x-api-key"] == "very-secret-indeed"
    assert "very-secret-indeed" not in json.dumps(told)
    recipient.status = 500
    assert (crm.post(path, None).json["delivered"], len(recipient.heard)) == (False, 2)


BOT = {
    "kind": "telegram", "options": {"chat_id": "-1001234567890"},
    "secrets": {"token": "123456789:AA-secret-of-the-bot-0001"},
}  # fmt: skip


def test_a_stored_secret_never_follows_a_destination_to_another_server(
    crm: Program, recipient: Recipient, server: StandIn
) -> None:
    path = made(crm, "/destinations", BOT)
    answer = crm.patch(path, {"options": {"address": server.url}})
    assert refused(answer) == (400, "destination.retype")
    assert "token" in answer.json["error"]["message"]
    assert crm.get(path).json["options"] == BOT["options"]
    crm.post(f"{path}/test", None)
    assert recipient.heard == []
    assert crm.patch(path, {"options": {"address": server.url}, "secrets": BOT["secrets"]}).status_code == 200
    crm.post(f"{path}/test", None)
    assert "/bot123456789:AA" in recipient.heard[0].path


def test_a_busy_destination_is_changed_by_whoever_saw_what_is_set(
    it: Told, crm: Program, recipient: Recipient, server: StandIn
) -> None:
    number = it.add("webhook", {"url": f"{server.url}/x"}, "Shop", events=["call.completed"])
    path = f"/destinations/{number}"
    seen = crm.get(path).headers["ETag"]
    assert crm.get(path, headers={"If-None-Match": seen}).status_code == 304
    recipient.status = 500
    it.call("one")
    it.send()
    assert crm.get(path, headers={"If-None-Match": seen}).json["state"] == "failing"
    changed = crm.patch(path, {"name": "Store"}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json["name"]) == (200, "Store")
    assert refused(crm.patch(path, {"name": "Shop"}, headers={"If-Match": seen})) == (412, "etag.outdated")
    newest = crm.get(path).headers["ETag"]
    crm.patch(path, {"paused": True})
    assert refused(crm.delete(path, headers={"If-Match": newest})) == (412, "etag.outdated")
    assert crm.delete(path, headers={"If-Match": crm.get(path).headers["ETag"]}).status_code == 204


def test_deliveries_are_found_and_sent_again(
    it: Told, site: Site, crm: Program, recipient: Recipient, server: StandIn, tmp_path: Path
) -> None:
    made = it.add("webhook", {"url": f"{server.url}/x"}, "Shop", events=["call.completed"])
    for number in range(3):
        it.call(f"call{number}", minutes=10 - number)
    recipient.status = 400
    it.send()
    whole = crm.get("/deliveries").json["deliveries"]
    assert {each["state"] for each in whole} == {"failed"}
    assert whole == cli(site, tmp_path, "delivery", "list")
    page = crm.get("/deliveries", limit=2).json
    rest = crm.get("/deliveries", limit=2, cursor=page["next"]).json
    assert (page["deliveries"] + rest["deliveries"], rest["next"]) == (whole, None)
    assert crm.get("/calls/call1/deliveries").json["deliveries"] == [whole[1]]
    assert crm.get(f"/deliveries/{whole[0]['id']}").json == whole[0]
    middle = whole[1]["created_at"]
    assert len(crm.get("/deliveries", destination=made, state="failed", since=middle).json["deliveries"]) == 2
    assert crm.get("/deliveries", call="call1", until=middle).json["deliveries"] == []
    recipient.status = 200
    assert crm.post("/deliveries/replay", {"destination": made, "ids": [whole[0]["id"]]}).json == {"count": 1}
    assert crm.post("/deliveries/replay", {"destination": made, "since": middle}).json == {"count": 1}
    assert refused(crm.post("/deliveries/replay", {"destination": made})) == (400, "delivery.nothing")
    it.pass_time(minutes=1)
    it.send()
    assert [each["state"] for each in crm.get("/deliveries").json["deliveries"]] == ["sent", "sent", "failed"]
    assert actions(site)[-2:] == ["delivery.replay"] * 2
    rival = checked(program(site, *Scope, company_id=2))
    assert rival.get("/deliveries").json["deliveries"] == []
    for path in ("/calls/call1/deliveries", f"/deliveries/{whole[0]['id']}"):
        assert rival.get(path).status_code == 404
    assert refused(rival.get("/deliveries", destination=made)) == (404, "destination.unknown")
    assert rival.post("/deliveries/replay", {"destination": made, "ids": [1]}).status_code == 404


def hook(crm: Program, url: str, event: str = "call.completed") -> Any:
    return crm.post("/hooks", {"event": event, "target_url": url})


def test_a_hook_is_posted_what_its_sample_shows(
    it: Told, crm: Program, recipient: Recipient, server: StandIn
) -> None:
    made = hook(crm, f"{server.url}/zap").json
    it.pass_time(minutes=5)
    it.call("one")
    it.send()
    (heard,) = recipient.heard
    assert is_signed(heard, made["secret"])
    sample = crm.get("/hooks/sample", event="call.completed").json
    assert sample == heard.json()
    assert crm.get(f"/hooks/{made['id']}").json == {each: made[each] for each in made.keys() - {"secret"}}
    assert crm.get(f"/destinations/{made['id']}").json["kind"] == "webhook"


def test_a_sample_of_what_never_happened_is_made_up(it: Told, crm: Program) -> None:
    it.call("one")
    made_up = {each.value: crm.get("/hooks/sample", event=each.value).json["data"] for each in Event}
    assert made_up["call.completed"]["key"] == "one"
    assert made_up["call.categorised"]["key"].startswith("test-")
    assert made_up["call.categorised"].keys() == made_up["call.completed"].keys()
    it.categorise("one", Category.TARGET)
    assert crm.get("/hooks/sample", event="call.categorised").json["data"]["key"] == "one"
    assert crm.get("/hooks/sample", event="call.sung").status_code == 400


def test_the_same_hook_is_one_and_ends_when_it_is_taken_back(crm: Program, site: Site) -> None:
    url = "https://hooks.zapier.example/hooks/1"
    first, again = hook(crm, url).json, hook(crm, url).json
    assert (again["id"], again["secret"]) == (first["id"], None)
    other = hook(crm, url, "call.updated").json
    same_name = hook(crm, url + "/other").json
    assert [each["id"] for each in crm.get("/hooks").json["hooks"]] == [
        first["id"], other["id"], same_name["id"],
    ]  # fmt: skip
    rival = checked(program(site, *Scope, company_id=2))
    assert rival.get("/hooks").json["hooks"] == []
    assert rival.delete(f"/hooks/{first['id']}").status_code == 404
    assert crm.delete(f"/hooks/{first['id']}").status_code == 204
    assert refused(crm.delete(f"/hooks/{first['id']}")) == (404, "hook.unknown")
    assert crm.get(f"/destinations/{first['id']}").status_code == 404
    assert actions(site)[-1] == "destination.delete"


def test_a_destination_that_is_no_hook_is_none(crm: Program) -> None:
    made = crm.post("/destinations", {"kind": "webhook", "options": {"url": "https://x.example/"}}).json
    assert crm.get("/hooks").json["hooks"] == []
    assert crm.delete(f"/hooks/{made['id']}").status_code == 404


def test_410_ends_a_hook_and_subscribing_anew_begins_another(
    it: Told, crm: Program, recipient: Recipient, server: StandIn
) -> None:
    first = hook(crm, f"{server.url}/zap").json
    recipient.status = 410
    it.pass_time(minutes=5)
    it.call("one")
    it.send()
    assert crm.get("/hooks").json["hooks"] == []
    assert crm.get(f"/hooks/{first['id']}").status_code == 404
    second = hook(crm, f"{server.url}/zap").json
    assert second["secret"] not in {None, first["secret"]}
    assert [each["id"] for each in crm.get("/hooks").json["hooks"]] == [second["id"]]


@pytest.mark.parametrize(
    "url", ["x", "ftp://x.example/", "https://a:b@x.example/", "https://x.example/{caller}"]
)
def test_an_address_that_nothing_can_be_posted_to_is_refused(crm: Program, url: str) -> None:
    assert hook(crm, url).status_code == 400
    assert crm.get("/hooks").json["hooks"] == []


def test_a_hook_to_a_house_s_own_network_is_never_posted(
    it: Told, crm: Program, recipient: Recipient, server: StandIn
) -> None:
    it.settings = replace(it.settings, webhook_networks=())
    hook(crm, f"{server.url}/zap")
    it.pass_time(minutes=5)
    it.call("one")
    it.send(it.worker())
    assert recipient.heard == []
    (told,) = crm.get("/deliveries").json["deliveries"]
    assert "127.0.0.1" in told["answer"]
