"""Who is responsible for which caller: said at the command line, on the page, by programs and in lists."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.command import Installation
from support.facts import CALLER, Pallets, add_pallets
from support.recorded import settings_in
from support.site import Site, csrf_token, log_in

from tracker import api_keys, inlets, responsibles, targets
from tracker.audit import By
from tracker.database import Database
from tracker.inlets import Filled
from tracker.known_callers import responsible_target
from tracker.models import AuditEntry, Company, Responsible, Role, Target, TargetKind
from tracker.policy.rights import Scope
from tracker.policy.tables import BadRows
from tracker.vault import Vault

CALLS = (Scope.CALLS_READ, Scope.CALLS_WRITE)
OTHER = "+4915198765432"
LIST = "Phone;Owner\n+49 151 12345678;office\n4915198765432;100\n"


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        found = add_pallets(session, now)
        session.get_one(Target, found.mobile_id).dial = "100"
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
        return found


def told(database: Database) -> dict[str, int]:
    with database.read() as session:
        rows = session.execute(sa.select(Responsible.phone, Responsible.target_id))
        return {row.phone: row.target_id for row in rows}


def test_a_list_is_taken_whole_and_the_same_again_changes_nothing(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for expected in ((2, 0, 0), (0, 0, 2)):
        with database.write() as session:
            owner = session.get_one(Company, 1)
            found = responsibles.plan_list(session, owner, responsibles.read_list(LIST.encode()))
            done = responsibles.tell(session, By(now, "cli:ann"), owner, found, source="owners.csv")
            assert (len(done.set), len(done.gone), len(done.same)) == expected
    assert told(database) == {CALLER: pallets.office_id, OTHER: pallets.mobile_id}
    with database.read() as session:
        (entry,) = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "responsible.set"))
        assert (entry.subject, entry.detail) == ("owners.csv", {"set": 2, "removed": 0})


def test_every_bad_line_of_a_list_is_told_and_nothing_is_taken(database: Database, pallets: Pallets) -> None:
    lines = responsibles.read_list(f"phone,responsible\n12,office\n{CALLER},Bob\n{OTHER},\n".encode())
    with database.write() as session, pytest.raises(BadRows) as bad:
        responsibles.plan_list(session, session.get_one(Company, 1), lines)
    assert [(it.line, it.column) for it in bad.value.problems] == [(2, "phone"), (3, "responsible")]


def test_what_is_told_last_counts_and_nobody_is_nobody(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        owner, by = session.get_one(Company, 1), By(now, "cli:ann")
        office, mobile = (session.get_one(Target, it) for it in (pallets.office_id, pallets.mobile_id))
        for target in (office, mobile):
            responsibles.tell(session, by, owner, {CALLER: target})
        assert responsible_target(session, 1, CALLER) == str(mobile.id)
        assert responsible_target(session, 2, CALLER) == ""  # in another company nobody knows him
        assert responsible_target(session, 1, None) == ""
        responsibles.remove(session, by, owner, CALLER)
        assert responsible_target(session, 1, CALLER) == ""


def test_who_is_asked_is_found_in_one_look_into_an_index(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    statements: list[str] = []
    with database.write() as session:
        office = session.get_one(Target, pallets.office_id)
        responsibles.tell(session, By(now, "cli:ann"), session.get_one(Company, 1), {CALLER: office})
    sa.event.listen(database.engine, "before_cursor_execute", lambda *it: statements.append(it[2]))
    with database.read() as session:
        assert responsible_target(session, 1, CALLER) == str(office.id)
        if not database.is_sqlite:  # of an empty table it would read all there is
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        look = f"SELECT target_id FROM responsibles WHERE company_id = 1 AND phone = '{CALLER}'"
        plan = " ".join(str(row) for row in session.execute(sa.text(explain + look)))
    assert len([each for each in statements if each.startswith("SELECT responsibles")]) == 1
    assert "uq_responsibles_company_id_phone" in plan or "sqlite_autoindex_responsibles_1" in plan


def test_a_target_that_is_deleted_is_responsible_for_nobody(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        owner, by = session.get_one(Company, 1), By(now, "cli:ann")
        anna = Target(company_id=1, name="Anna", kind=TargetKind.PEER, host="192.0.2.7", port=5060,
                      created_at=now)  # fmt: skip
        session.add(anna)
        session.flush()
        responsibles.tell(session, by, owner, {CALLER: anna})
        targets.delete(session, by, anna)
    assert told(database) == {}


def test_a_word_for_a_target_that_is_deleted_means_nobody(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    """SQLite gives the number of a row that is gone to the next one."""
    with database.write() as session:
        owner, by, vault = session.get_one(Company, 1), By(now, "cli:ann"), Vault("k" * 40)
        anna = Target(company_id=1, name="Anna", kind=TargetKind.PEER, host="192.0.2.7", port=5060,
                      created_at=now)  # fmt: skip
        session.add(anna)
        session.flush()
        how = Filled(persons={"17": "Anna", "18": "office"})
        it, _ = inlets.add(session, by, owner, "own", how, vault=vault)
        targets.delete(session, by, anna)
        assert it.persons == {"18": pallets.office_id}


def test_a_word_that_two_targets_have_means_nobody(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        session.get_one(Target, pallets.office_id).dial = "100"
        persons = responsibles.Persons(session, session.get_one(Company, 1), {"17": pallets.office_id})
        assert persons.find("100") is None
        found = [persons.find(word) for word in ("OFFICE", " 17 ")]
        assert [it.id if it else None for it in found] == [pallets.office_id, pallets.office_id]


# ---- page and API ----


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    with sqlite.write() as session:
        add_pallets(session, now)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def test_programs_say_and_read_who_is_responsible_in_their_company_alone(site: Site) -> None:
    with site.database.write() as session:
        by = By(site.now, "cli:ann")
        hers, theirs = (
            api_keys.add_key(session, by, session.get_one(Company, it), "crm", CALLS)[1] for it in (1, 2)
        )
    client = site.app.test_client()

    def ask(key: str, told: Any = None) -> Any:
        how = {"headers": {"Authorization": f"Bearer {key}"}}
        if told is None:
            return client.get("/api/v1/responsibles", **how).json
        return client.post(
            "/api/v1/responsibles", data=json.dumps(told), content_type="application/json", **how
        )

    rows = {"responsibles": [{"phone": CALLER, "responsible": "office"}]}
    assert ask(hers, rows).json == {"set": 1, "removed": 0, "same": 0}
    assert ask(theirs, rows).status_code == 400  # it has no such target
    assert ask(hers, {"responsibles": [{"phone": CALLER, "colour": "red"}]}).status_code == 400
    (row,) = ask(hers)["responsibles"]
    assert (row["phone"], row["responsible"], row["told_by"]) == (CALLER, "office", "key:crm")
    assert ask(theirs)["responsibles"] == []
    nobody = {"responsibles": [{"phone": CALLER, "responsible": None}]}
    assert ask(hers, nobody).json == {"set": 0, "removed": 1, "same": 0}


def test_the_page_says_finds_imports_and_takes_back(site: Site) -> None:
    ann, at = log_in(site, "ann@pallets.example", pallets=Role.ADMIN), "/settings/pallets/responsible"

    def send(**form: Any) -> Any:
        return ann.post(at, data={"csrf": csrf_token(ann)} | form)

    assert send(do="set", phone="+49 151 12345678", target="office").status_code == 303
    page = ann.get(at).text
    assert "office" in page
    assert ann.get(f"{at}?phone=999").text.count("<tr>") < page.count("<tr>")
    csv = f"phone,responsible\n{OTHER},mobile\n"
    assert send(do="import", file=(io.BytesIO(csv.encode()), "owners.csv")).status_code == 303
    assert len(told(site.database)) == 2
    bad = send(do="import", file=(io.BytesIO(b"phone,responsible\n1,mobile\n"), "owners.csv"))
    assert (bad.status_code, "Line 2, phone:" in bad.text) == (400, True)
    assert send(do="remove", phone=OTHER).status_code == 303
    assert list(told(site.database)) == [CALLER]
    listener = log_in(site, "bob@pallets.example", pallets=Role.MANAGER)
    assert listener.get(at).status_code == 403


def test_from_the_terminal_somebody_is_responsible_and_an_inlet_tells_so(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    here.done("company", "add", "pallets", "--region", "DE")
    here.done("target", "add", "Anna", "--phone")
    here.done("responsible", "set", "0151 12345678", "Anna")
    (tmp_path / "owners.csv").write_text(f"phone,owner\n{OTHER},Anna\n{CALLER},\n")
    listed = [(it["phone"], it["responsible"]) for it in here.json("responsible", "list")]
    assert listed == [(CALLER, "Anna")]
    done = here.json("responsible", "import", str(tmp_path / "owners.csv"), "--dry-run")
    assert (done["set"], done["removed"]) == (1, 1)
    assert len(here.json("responsible", "list")) == 1
    here.done("responsible", "import", str(tmp_path / "owners.csv"))
    assert [it["phone"] for it in here.json("responsible", "list")] == [OTHER]
    here.done("responsible", "remove", OTHER)

    made = here.json("inlet", "add", "own", "--name", "CRM", "--person", "17=Anna", "--set", "won=paid")
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in here.done("inlet", "show", "CRM", "--json")
    here.done("inlet", "change", "CRM", "--set", "map.call=", "--over-people")
    shown = here.json("inlet", "show", "CRM")
    assert (shown["persons"], shown["mapping"]["won"], shown["over_people"]) == ({"17": "Anna"}, "paid", True)
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps({"phone": CALLER, "responsible": 17, "status": "paid", "revenue": "5",
                                  "reference": "A1"}))  # fmt: skip
    assert here.done("inlet", "try", "CRM", str(sample)).splitlines() == [
        "row 1: responsible Anna", "row 1: sale A1",
    ]  # fmt: skip
    assert (here.json("responsible", "list"), here.json("inlet", "arrivals", "CRM")) == ([], [])
    assert here.json("inlet", "secret", "CRM")["secret"] != made["secret"]
    here.done("inlet", "remove", "CRM")
    assert here.json("inlet", "list") == []
