"""Back from the CRM: statuses judge calls, won deals are sales, and somebody is responsible for a caller."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from support.facts import CALLER, Pallets, add_pallets, answered, ended, started
from support.recorded import settings_in
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker import inlets, reports, responsibles, worth
from tracker.audit import By
from tracker.books import record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.inlets import Filled
from tracker.models import (
    Arrival,
    AuditEntry,
    Call,
    CallCategory,
    Category,
    Company,
    Inlet,
    Responsible,
    Role,
    Sale,
    SaleStatus,
)
from tracker.policy.facts import Fact
from tracker.policy.inlets import Became, facts_of, places_of, read_way
from tracker.policy.signatures import Signature
from tracker.policy.telling import sign
from tracker.vault import Vault

OTHER = "+4915198765432"
WORDS = {
    "map.phone": "contact.phone", "map.call": "call", "map.reference": "id", "map.revenue": "amount",
    "map.status": "stage", "map.responsible": "owner", "won": "won", "cancelled": "lost",
    "target": "qualified, won", "non_target": "junk",
}  # fmt: skip


class Crm:
    """A company with a call of CALLER's, and an inlet by which its CRM tells us."""

    def __init__(self, site: Site, pallets: Pallets) -> None:
        self.site, self.pallets, self.count = site, pallets, 0
        self.vault = Vault("k" * 40)
        self.key, self.secret = self.add("CRM", 1)

    def add(self, name: str, company_id: int, **filled: Any) -> tuple[str, str]:
        usual: dict[str, Any] = {"words": WORDS, "anew": True, "signature": "standard"}
        with self.site.database.write() as session:
            company = session.get_one(Company, company_id)
            how = Filled(name=name, **usual | filled)
            made, secret = inlets.add(session, self.by(), company, "own", how, vault=self.vault)
            return made.key, secret

    def by(self, actor: str = "cli:ann") -> By:
        return By(self.site.now, actor)

    def tell(self, told: Any, *, key: str = "", message_id: str = "", **change: Any) -> TestResponse:
        """A message, signed as it should be."""
        self.count += 1
        body = json.dumps(told).encode()
        headers = sign(self.secret, message_id or f"msg_{self.count}", self.site.now, body)
        return self.site.app.test_client().post(
            f"/in/{key or self.key}", data=body, content_type="application/json", headers=headers | change
        )

    def told(self, told: Any, **more: Any) -> list[str]:
        """What became of it, each thing as "category target"."""
        answer = self.tell(told, **more)
        assert answer.status_code == 200, answer.text
        results = answer.json["results"]  # type: ignore[index]
        return [f"{it['what']} {it.get('about', '')}".strip() for it in results]

    def call(self, key: str, caller: str = CALLER, minutes: int = 60) -> str:
        at = self.site.now - timedelta(minutes=minutes)
        begin = started(self.pallets.billboard, at, key, caller=caller)
        with self.site.database.write() as session:
            facts: list[Fact] = [
                begin,
                answered(self.pallets.office_id, at, key),
                ended(at + timedelta(minutes=1), key),
            ]
            record_all(session, facts)
        return key

    def category(self, key: str) -> Category | None:
        with self.site.database.read() as session:
            return session.scalars(sa.select(Call.category).where(Call.key == key)).one()

    def arrivals(self) -> list[Arrival]:
        with self.site.database.read() as session:
            found = list(session.scalars(sa.select(Arrival).order_by(Arrival.id)))
            session.expunge_all()
            return found

    def every(self, model: Any) -> list[Any]:
        with self.site.database.read() as session:
            found = list(session.scalars(sa.select(model).order_by(model.id)))
            session.expunge_all()
            return found


@pytest.fixture
def crm(sqlite: Database, tmp_path: Path, now: datetime) -> Crm:
    return furnished(sqlite, tmp_path, now)


@pytest.fixture
def either(database: Database, tmp_path: Path, now: datetime) -> Crm:
    """The same on each database."""
    return furnished(database, tmp_path, now)


def furnished(database: Database, tmp_path: Path, now: datetime) -> Crm:
    with database.write() as session:
        pallets = add_pallets(session, now - timedelta(days=3))
        session.get_one(Company, 1).currency = "EUR"
        rival = Company(slug="rival", name="Rival", default_region="DE", currency="EUR", created_at=now)
        session.add(rival)
    crm = Crm(Site(database, settings_in(tmp_path, secret_key="k" * 40), now), pallets)
    crm.call("first")
    return crm


def deal(stage: str, **more: Any) -> dict[str, Any]:
    return {"id": 17, "stage": stage, "amount": "900", "contact": {"phone": CALLER}} | more


def actors(session: Session, action: str) -> list[str]:
    return list(session.scalars(sa.select(AuditEntry.actor).where(AuditEntry.action == action)))


def test_a_deal_s_way_closes_the_loop_in_money_reports(either: Crm) -> None:
    assert either.told(deal("new")) == ["status_unknown new"]
    assert either.told(deal("Qualified")) == ["category target"]
    assert either.told(deal("won")) == ["category_same target", "sale 17"]
    with either.site.database.read() as session:
        report = reports.read_asked(session, session.get_one(Company, 1), {"by": "channel"}, either.site.now)
        sums = report.whole.sums
        assert (sums.target, sums.orders, sums.revenue) == (1, 1, Decimal(900))
        sale = session.scalars(sa.select(Sale)).one()
        assert (sale.call.key if sale.call else "", sale.reference) == ("first", "17")
        assert set(actors(session, "call.category") + actors(session, "sale.import")) == {"inlet:CRM"}
        said = session.scalars(sa.select(CallCategory)).one()
        assert (said.actor, said.category) == ("inlet:CRM", Category.TARGET)


def test_a_lost_deal_cancels_its_sale_and_nothing_that_was_never_sold(crm: Crm) -> None:
    assert crm.told(deal("lost")) == ["sale_never 17"]
    crm.told(deal("won", amount="900"))
    assert crm.told({"id": 17, "stage": "lost"}) == ["sale_changed 17"]  # it repeats no amount, no number
    (sale,) = crm.every(Sale)
    assert (sale.status, sale.revenue, sale.phone) == (SaleStatus.CANCELLED, Decimal(900), CALLER)
    assert crm.told({"id": 17, "stage": "lost"}) == ["sale_same 17"]


def test_a_status_finds_its_call_by_key_by_caller_and_by_the_sale(crm: Crm) -> None:
    crm.call("other", OTHER)
    assert crm.told({"stage": "junk", "call": "other"}) == ["category non_target"]
    crm.told(deal("won"))
    assert crm.told({"id": 17, "stage": "junk"}) == ["category non_target"]
    assert (crm.category("other"), crm.category("first")) == (Category.NON_TARGET, Category.NON_TARGET)
    assert crm.told({"stage": "junk", "call": "nobody's"}) == ["no_call nobody's"]


def test_a_later_call_about_the_same_deal_is_not_judged_for_it(crm: Crm) -> None:
    crm.told(deal("qualified"))
    crm.call("about the delivery", minutes=5)
    crm.told(deal("won"))
    assert crm.category("first") is Category.TARGET
    assert crm.category("about the delivery") is None


@pytest.mark.parametrize("over", [False, True])
def test_what_a_person_said_stays_unless_the_inlet_may_say_otherwise(either: Crm, over: bool) -> None:
    with either.site.database.write() as session:
        call = session.scalars(sa.select(Call)).one()
        worth.categorise(session, either.by("ann@pallets.example"), [call], Category.SERVICE)
        it = session.scalars(sa.select(Inlet)).one()
        inlets.change(session, either.by(), it, Filled(over_people=over), vault=either.vault)
    assert either.told(deal("qualified")) == ["category target" if over else "category_kept service"]
    assert either.category("first") is (Category.TARGET if over else Category.SERVICE)


def test_a_judgement_that_a_person_took_back_is_one(crm: Crm) -> None:
    crm.told(deal("qualified"))
    with crm.site.database.write() as session:
        worth.categorise(
            session, crm.by("ann@pallets.example"), [session.scalars(sa.select(Call)).one()], None
        )
    assert crm.told(deal("junk")) == ["category_kept none"]
    assert crm.category("first") is None


def test_the_same_message_again_changes_nothing(either: Crm) -> None:
    told = deal("won", owner="Office")
    first = either.tell(told, message_id="msg_same")
    assert first.json["became"] == "taken"  # type: ignore[index]
    assert either.tell(told, message_id="msg_same").json["results"] == first.json["results"]  # type: ignore[index]
    assert either.told(told) == ["category_same target", "responsible_same office", "sale_same 17"]
    assert (len(either.every(Sale)), len(either.every(CallCategory)), len(either.every(Responsible))) == (
        1,
        1,
        1,
    )
    assert [(it.became, it.times, it.message_id) for it in either.arrivals()] == [
        (Became.TAKEN, 2, "msg_same"), (Became.NOTHING, 1, "msg_3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"webhook-signature": "v1,xxx"}, "The signature is not that of this inlet"),
        ({"webhook-signature": ""}, "There is no signature"),
        ({"webhook-timestamp": "1"}, "The signature is not that of this inlet"),
    ],
)
def test_what_is_not_proven_is_refused_and_told_of(crm: Crm, change: dict[str, str], problem: str) -> None:
    for _ in range(2):
        answer = crm.tell(deal("won"), **change)
        assert (answer.status_code, answer.json["error"]["id"]) == (401, "inlet.signature")  # type: ignore[index]
    assert [(it.became, it.problem, it.times, it.places) for it in crm.arrivals()] == [
        (Became.REFUSED, problem, 2, [])  # a flood is one row, and nothing of it is looked into
    ]
    assert crm.every(Sale) == []


def test_a_message_of_yesterday_is_refused(crm: Crm) -> None:
    now, crm.site.now = crm.site.now, crm.site.now - timedelta(minutes=10)
    body = json.dumps(deal("won")).encode()
    headers = sign(crm.secret, "msg_1", crm.site.now, body)
    crm.site.now = now
    answer = crm.site.app.test_client().post(f"/in/{crm.key}", data=body, headers=headers)
    assert answer.status_code == 401
    assert "too long ago" in answer.text


def test_an_unknown_address_too_much_and_nonsense_are_refused(crm: Crm) -> None:
    assert crm.tell(deal("won"), key="x" * 32).status_code == 404
    assert crm.tell(deal("won", note="x" * 300_000)).status_code == 413
    assert crm.tell([deal("won")] * 501).json["error"]["id"] == "rows.many"  # type: ignore[index]
    assert crm.tell("hello").status_code == 400
    bad = crm.tell(deal("won", amount="a lot"))
    assert (bad.status_code, bad.json["error"]["id"]) == (400, "rows.bad")  # type: ignore[index]
    last = crm.arrivals()[-1]
    assert last.became is Became.REFUSED
    assert "a lot" in (last.problem or "")
    assert "contact.phone" in last.places  # where to look, without what stood there
    assert crm.every(Sale) == []
    assert crm.category("first") is None  # nothing of a message, or all of it
    assert crm.site.app.test_client().get(f"/in/{crm.key}").status_code == 405


def test_what_says_nothing_is_answered_well(crm: Crm) -> None:
    """A shop tries an address out before it uses it."""
    assert crm.told({"webhook_id": 7}) == ["empty"]
    assert crm.told([]) == []
    assert crm.told(deal("won", contact={"phone": "call me"})) == [
        "bad_phone call me",
        "no_call 17",
        "sale 17",
    ]


def test_the_newest_arrivals_are_kept(either: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.arriving.KEPT", 3)
    for stage in ("won", "lost") * 3:
        either.told(deal(stage))
    assert len(either.arrivals()) == 3


def test_refused_messages_push_out_nothing_but_one_another(
    either: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.arriving.KEPT", 2)
    monkeypatch.setattr("tracker.arriving.KEPT_REFUSED", 2)
    told = deal("won")
    first = either.tell(told, message_id="msg_same").json["results"]  # type: ignore[index]
    for signature in ("", "v1,xxx") * 3:
        assert either.tell(told, **{"webhook-signature": signature}).status_code == 401
    kept = [(it.became, it.times) for it in either.arrivals()]
    assert kept == [(Became.TAKEN, 1), (Became.REFUSED, 3), (Became.REFUSED, 3)]
    for amount in ("much", "more"):
        assert either.tell(deal("won", amount=amount)).status_code == 400
    problems = [it.problem or "" for it in either.arrivals() if it.became is Became.REFUSED]
    assert ["much" in problems[0], "more" in problems[1], len(problems)] == [True, True, 2]
    assert either.tell(told, message_id="msg_same").json["results"] == first  # type: ignore[index]


def test_arrivals_are_told_by_when_each_came_last(either: Crm) -> None:
    either.tell(deal("won"), **{"webhook-signature": ""})
    either.site.now += timedelta(seconds=1)
    either.told(deal("won"))
    either.site.now += timedelta(seconds=1)
    either.tell(deal("won"), **{"webhook-signature": ""})
    with either.site.database.read() as session:
        it = session.scalars(sa.select(Inlet)).one()
        told = [(each.became, each.times) for each in inlets.list_arrivals(session, it)]
        assert told == [(Became.REFUSED, 2), (Became.TAKEN, 1)]
        newest = inlets.newest_arrivals(session, session.get_one(Company, 1))
        assert {number: each.became for number, each in newest.items()} == {it.id: Became.REFUSED}


def test_a_message_that_came_to_nothing_is_taken_when_the_mapping_is_mended(either: Crm) -> None:
    assert either.told(deal("paid"), message_id="msg_same") == ["status_unknown paid"]
    with either.site.database.write() as session:
        it = session.scalars(sa.select(Inlet)).one()
        inlets.change(session, either.by(), it, Filled({"won": "paid"}), vault=either.vault)
    assert either.told(deal("paid"), message_id="msg_same") == ["sale 17"]
    assert [it.became for it in either.arrivals()] == [Became.NOTHING, Became.TAKEN]


def test_a_form_with_words_in_its_address_is_understood(crm: Crm) -> None:
    """As Bitrix24's robots and amoCRM send them."""
    words = {
        "map.phone": "query.phone", "map.status": "query.stage", "map.reference": "query.deal",
        "map.revenue": "query.amount", "map.responsible": "query.responsible", "won": "WON", "target": "WON",
    }  # fmt: skip
    key, secret = crm.add("Bitrix", 1, words=words, signature="token-query", persons={"17": "mobile"})
    query = {
        "token": secret,
        "phone": CALLER,
        "stage": "WON",
        "deal": "9",
        "amount": "5.50",
        "responsible": "17",
    }
    client = crm.site.app.test_client()
    answer = client.post(f"/in/{key}", query_string=query, data={"document_id[2]": "DEAL_9"})
    assert answer.json["became"] == "taken", answer.text  # type: ignore[index]
    assert [it.reference for it in crm.every(Sale)] == ["9"]
    assert [it.target_id for it in crm.every(Responsible)] == [crm.pallets.mobile_id]
    assert client.post(f"/in/{key}", query_string=query | {"token": "x"}).status_code == 401
    key, secret = crm.add("amo", 1, signature="token-query", words={
        "map.rows": "leads.status", "map.status": "status_id", "target": "142",
        "map.phone": "custom_fields.[name=Phone].values.0.value"})  # fmt: skip
    form = {
        "leads[status][0][status_id]": "142",
        "leads[status][0][custom_fields][0][name]": "Budget",
        "leads[status][0][custom_fields][0][values][0][value]": "1",
        "leads[status][0][custom_fields][1][name]": "Phone",
        "leads[status][0][custom_fields][1][values][0][value]": CALLER,
    }
    answer = client.post(f"/in/{key}?token={secret}", data=form)
    assert answer.json["results"][0]["what"] == "category_same"  # type: ignore[index]


def test_each_inlet_is_its_company_s_alone(either: Crm) -> None:
    """The rival's CRM names the other company's call, caller, sale and target, and reaches none of them."""
    either.told(deal("won", owner="Office"))
    either.key, either.secret = either.add("CRM", 2)
    assert either.told({"stage": "junk", "call": "first"}) == ["no_call first"]
    assert either.told(deal("junk", owner="Office")) == [f"no_call {CALLER}", "person_unknown Office"]
    assert either.told(deal("lost")) == ["sale_never 17"]
    assert either.category("first") is Category.TARGET
    with either.site.database.write() as session:
        rival = session.get_one(Company, 2)
        assert responsibles.list_responsibles(session, rival) == []
        with pytest.raises(Rejected, match="no inlet"):
            inlets.find(session, rival, "Bitrix")
        with pytest.raises(Rejected, match="no target"):
            how = Filled(persons={"1": "office"})
            inlets.add(session, either.by(), rival, "own", how, vault=either.vault)


TEXT = st.text(st.characters(exclude_categories=()))  # halves of letters too
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("id", "stage", "owner", "call", "contact", "phone", "x")), inner)
    ),
    max_leaves=8,
)


@given(ANYTHING | st.dictionaries(st.sampled_from(("id", "stage", "amount", "owner", "call")), TEXT))
def test_no_message_breaks_the_reading_of_it(told: Any) -> None:
    for fact in facts_of(told, read_way(WORDS), "DE"):
        for text in (fact.reference, fact.call, fact.responsible, *(it.about for it in fact.results)):
            assert b"\0" not in (text or "").encode()
    assert all(place.isprintable() for place in places_of(told))


# ---- who is responsible ----


def test_a_crm_says_who_is_responsible_and_takes_it_back(either: Crm) -> None:
    with either.site.database.write() as session:
        it = session.scalars(sa.select(Inlet)).one()
        inlets.change(session, either.by(), it, Filled(persons={"17": "mobile"}), vault=either.vault)
    assert either.told({"contact": {"phone": OTHER}, "owner": 17}) == ["responsible mobile"]
    assert either.told({"contact": {"phone": OTHER}, "owner": "OFFICE"}) == ["responsible office"]
    assert either.told({"contact": {"phone": OTHER}, "owner": "Bob"}) == ["person_unknown Bob"]
    assert either.told({"call": "first", "owner": "17"}) == ["responsible mobile"]  # the call's caller
    told = {it.phone: (it.target_id, it.actor) for it in either.every(Responsible)}
    assert told == {
        OTHER: (either.pallets.office_id, "inlet:CRM"), CALLER: (either.pallets.mobile_id, "inlet:CRM"),
    }  # fmt: skip
    assert either.told({"contact": {"phone": OTHER}, "owner": ""}) == ["responsible_gone"]
    assert [it.phone for it in either.every(Responsible)] == [CALLER]


# ---- settings ----


def test_an_inlet_is_changed_word_by_word_and_its_secret_is_sealed(crm: Crm) -> None:
    with crm.site.database.write() as session:
        it = session.scalars(sa.select(Inlet)).one()
        assert crm.secret not in it.secrets
        inlets.change(session, crm.by(), it, Filled({"won": "paid", "map.call": ""}), vault=crm.vault)
        assert (it.mapping["won"], "map.call" in it.mapping) == ("paid", False)
        assert it.mapping["map.phone"] == WORDS["map.phone"]
        secret = inlets.renew_secret(session, crm.by(), it, vault=crm.vault)
    assert crm.tell(deal("paid")).status_code == 401
    crm.secret = secret
    assert crm.told(deal("paid")) == ["sale 17"]
    with crm.site.database.read() as session:
        logged = [str(it.detail) for it in session.scalars(sa.select(AuditEntry))]
        assert not any(secret in each for each in logged)


def test_a_secret_that_the_new_signature_cannot_have_does_not_stay(crm: Crm) -> None:
    crm.key, crm.secret = crm.add("Shop", 1, signature="token-header", secret="пароль-пароль")
    with crm.site.database.write() as session:
        it = inlets.find(session, session.get_one(Company, 1), "Shop")
        with pytest.raises(Rejected, match="The secret that is there") as refused:
            inlets.change(session, crm.by(), it, Filled(signature="standard"), vault=crm.vault)
        assert refused.value.id == "inlet.secret"
        session.rollback()
    new = inlets.new_secret(Signature.STANDARD)
    with crm.site.database.write() as session:
        it = inlets.find(session, session.get_one(Company, 1), "Shop")
        inlets.change(session, crm.by(), it, Filled(signature="standard", secret=new), vault=crm.vault)
        inlets.change(session, crm.by(), it, Filled(signature="sha1-hex"), vault=crm.vault)
        inlets.change(session, crm.by(), it, Filled(signature="standard"), vault=crm.vault)  # fits: it stays
    crm.secret = new
    assert crm.tell(deal("won")).status_code == 200


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"map.phone": "p"}, "asks for nothing"),
        ({"map.revenue": "r", "map.phone": "p"}, "where reference stands"),
        ({"target": "x", "map.phone": "p"}, "where status stands"),
        ({"won": "x", "target": "x", "map.status": "s", "map.phone": "p"}, "where revenue stands"),
        ({"target": "x", "map.status": "s"}, "whose it is"),
        ({"map.colour": "c"}, "map.colour is no word"),
        ({"map.phone": "p" * 301}, "too long"),
    ],
)  # fmt: skip
def test_a_mapping_that_leads_nowhere_is_refused(words: dict[str, str], problem: str) -> None:
    with pytest.raises(Rejected, match=problem):
        read_way(words)


def test_an_inlet_that_is_removed_takes_nothing_in(crm: Crm) -> None:
    crm.told(deal("won"))
    with crm.site.database.write() as session:
        inlets.remove(session, crm.by(), session.scalars(sa.select(Inlet)).one())
    assert crm.tell(deal("won")).status_code == 404
    assert (len(crm.every(Sale)), crm.arrivals()) == (1, [])


def test_the_page_makes_an_inlet_shows_its_secret_once_and_tries_a_sample(crm: Crm) -> None:
    ann = log_in(crm.site, "ann@pallets.example", pallets=Role.ADMIN)
    at = "/settings/pallets/inlets"

    def send(path: str, **form: str) -> Any:
        return ann.post(path, data={"csrf": csrf_token(ann)} | form)

    shown = send(at, kind="shopify", name="Shop", secret="shpss_1234567890").text
    assert "shpss_1234567890" in shown
    with crm.site.database.read() as session:
        it = session.scalars(sa.select(Inlet).where(Inlet.name == "Shop")).one()
        number, signature = it.id, it.signature
    assert signature is Signature.SHA256_BASE64
    assert "shpss_1234567890" not in ann.get(f"{at}/{number}").text
    order = {"name": "#1", "total_price": "5", "currency": "EUR", "financial_status": "paid", "phone": CALLER}
    tried = send(f"{at}/{number}", do="try", body=json.dumps(order)).text
    assert "New sale #1" in tried
    assert crm.every(Sale) == []
    words = dict.fromkeys((*inlets.WORDS, "place"), "") | dict(it.mapping)
    form = words | {"do": "change", "name": "Shop", "signature": "token-header", "persons": "17 = mobile"}
    assert send(f"{at}/{number}", **form | {"map.phone": "customer.phone"}).status_code == 303
    page = ann.get(f"{at}/{number}").text
    assert ("customer.phone" in page, "17 = mobile" in page) == (True, True)
    assert "names nobody" in send(f"{at}/{number}", **form | {"persons": "17"}).text
    assert "There is no target" in send(f"{at}/{number}", **form | {"persons": "17 = Bob"}).text
    crm.told(deal("qualified"))
    assert "The call is judged: Target" in ann.get(f"{at}/1").text
    eve = log_in(crm.site, "eve@rival.example", rival=Role.ADMIN)
    assert eve.get(f"/settings/rival/inlets/{number}").status_code == 404
    assert send(f"{at}/{number}", do="remove").status_code == 303
    assert ">Shop<" not in ann.get(at).text
