"""Secrets stand in the database sealed: by whatever door they came, after an upgrade, after a new key."""

from __future__ import annotations

import base64
import resource
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from alembic import command
from support.books import KEY
from support.command import Installation
from support.config import by
from support.couriers import Clock
from support.facts import add_pallets
from support.postgres import Postgres
from support.recorded import settings_in
from support.rest import program
from support.settings_page import HERE, admin, send, two_companies
from support.standins import DOUBLES
from support.told import Told

import migrations
from commands.schema import upgrade
from dialplan.facts import Facts, load_facts, problems
from tracker import alert_addresses, destination_list, rekeying, second_factor, trunks
from tracker.database import Database
from tracker.destination_list import Filled
from tracker.destinations import KINDS, FieldKind
from tracker.errors import Rejected
from tracker.models import AlertAddress, Base, Company, Destination, Target, TargetKind, Trunk, User
from tracker.models.base import Instant
from tracker.package import is_secret
from tracker.policy.rights import Scope
from tracker.postman import Postman
from tracker.sender import Sender
from tracker.trunks import TrunkWish
from tracker.vault import Vault

OTHER = "z" * 40
TOTP = "BEFORETOTPBEFORETOTPBEFORETOTP22"
# What only a program made and nobody has to know again, and so is kept as a digest; and what is none.
DIGESTS = ("password_hash", "_sha256", "totp_at", "totp_step")


@dataclass
class Books:
    """An installation's database, and what an attacker who copied it would read."""

    url: str
    home: Path

    def everything(self) -> bytes:
        """All bytes of the SQLite files; of PostgreSQL every table as COPY writes it."""
        if self.url.startswith("sqlite"):
            path = Path(self.url.removeprefix("sqlite:///"))
            return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
        with closing(Database(self.url)) as database, database.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            found = []
            for table in sa.inspect(connection).get_table_names():
                with raw.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                    found += [bytes(row) for row in rows]
        return b"".join(found)

    def hides(self, secrets: set[str]) -> None:
        kept = self.everything()
        assert b"pallets" in kept
        assert {each for each in secrets if each.encode() in kept} == set()


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """An empty database, without tables."""
    if request.param == "sqlite":
        yield Books(f"sqlite:///{tmp_path / 'home' / 'leaseline.db'}", tmp_path / "home")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        yield Books(postgres.url(), tmp_path / "home")


def whsec(text: str) -> str:
    return "whsec_" + base64.b64encode(text.ljust(24, ".").encode()).decode()


def test_no_secret_that_was_typed_or_made_stands_in_the_database(books: Books, now: datetime) -> None:
    books.home.mkdir()
    here = Installation(
        books.home, {"LEASELINE_DATABASE_URL": books.url, "LEASELINE_SECRET_KEY": KEY}
    )  # fmt: skip
    here.done("db", "upgrade")
    secrets = by_command(here)
    with closing(Database(books.url, secret_key=KEY)) as database:
        secrets |= by_page(database, books.home.parent, now)
        with database.read() as session:
            found = rekeying.look(session, Vault(KEY))
    assert len(found.opened) == len(rekeying.columns())  # each kind of secret came in by some door
    assert not found.shut
    assert not found.plain
    books.hides(secrets)


def by_command(here: Installation) -> set[str]:
    """Secrets as they are typed on the command line, and those that it shows."""
    here.done("company", "add", "house", "--region", "RU")
    here.done("trunk", "add", "one", "--host", "192.0.2.1", "--username", "u", "--password", "typed-carrier")
    here.done("trunk", "change", "one", "--password-file", "-", given="changed-carrier\n")
    here.done(
        "target", "add", "PBX", "--peer", "192.0.2.9", "--login", "ll", "--login-password-file", "-",
        given="typed-login",
    )  # fmt: skip
    made = [here.json("target", "add", "Phone", "--phone")["password"]]
    made.append(here.json("target", "password", "Phone")["password"])
    hook = "https://hooks.example/services/typed-address"
    told = here.json("alerts", "address", "add", hook, "--secret", whsec("typed-alerts"))
    ga4 = ("--set", "measurement_id=G-ABC1234567", "--set", "api_secret=typed-ga4")
    here.done("destination", "add", "ga4", *ga4)
    made.append(here.json("inlet", "add", "own", "--name", "CRM")["secret"])
    made.append(here.json("inlet", "secret", "CRM")["secret"])
    made += [told["secret"], here.json("key", "add", "crm")["key"]]
    return {"typed-carrier", "changed-carrier", "typed-login", "typed-address", "typed-ga4", *made}


def by_page(database: Database, folder: Path, now: datetime) -> set[str]:
    """Secrets as they are typed in the page, of each kind of destination that there is."""
    site = two_companies(database, folder, now)
    ann = admin(site)
    form = {"kind": "peer", "name": "Other PBX", "host": "192.0.2.8", "dial": "1", "transport": "udp"}
    send(ann, f"{HERE}/targets/add", **form, login="us", login_password="page-login")
    hook = "https://hooks.example/services/page-address"
    assert send(ann, "/alerts/addresses", company="pallets", address=hook).status_code == 200
    assert send(ann, f"{HERE}/inlets", kind="shopify", secret="page-shopify").status_code == 200
    secrets = {"page-login", "page-address", "page-shopify"}
    pallets = row_of(database, "pallets")
    asked = {"Idempotency-Key": "once"}
    answer = program(site, *Scope, company_id=pallets).post("/channels", {"name": "Flyer"}, asked)
    assert answer.status_code == 201, answer.text
    for word, kind in KINDS.items():
        values = DOUBLES[word]().values("https://crm.example")
        answer = send(ann, f"{HERE}/destinations/add/{word}", name=f"My {word}", **values)
        assert answer.status_code in {200, 303}, answer.text  # 200: its secret is shown this once
        hidden = {it.name for it in kind.fields if it.kind is FieldKind.SECRET}
        secrets |= {text for name, text in values.items() if name in hidden}
    with database.write() as session:
        user = session.scalars(sa.select(User)).first()
        assert user is not None
        secrets.add(second_factor.begin(session, user))
        secrets |= {it for it in session.scalars(sa.select(AlertAddress.secret)) if it}
    return secrets


def row_of(database: Database, slug: str) -> int:
    with database.read() as session:
        return session.scalars(sa.select(Company.id).where(Company.slug == slug)).one()


def test_every_column_that_is_named_a_secret_is_sealed_or_a_digest() -> None:
    sealed = {str(column) for column in rekeying.columns()}
    named = {str(it) for table in Base.metadata.sorted_tables for it in table.columns if is_secret(it)}
    assert {each for each in named - sealed if not each.endswith(DIGESTS)} == set()


def test_secrets_from_before_are_sealed_by_the_upgrade_and_work_as_they_did(books: Books) -> None:
    secrets = {"before-carrier", "before-phone", "before-login", "before-address", TOTP}
    books.home.mkdir(exist_ok=True)
    with closing(Database(books.url)) as database, database.engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0031")
        fill(connection)
    assert b"before-carrier" in books.everything()
    upgrade(books.url, KEY)
    upgrade(books.url, KEY)
    books.hides(secrets)
    with closing(Database(books.url, secret_key=KEY)) as database, database.read() as session:
        facts = load_facts(session)
        assert [trunk.password for trunk in facts.trunks] == ["before-carrier"]
        (phone,) = facts.targets
        assert (phone.password, phone.login_password) == ("before-phone", "before-login")
        assert session.scalars(sa.select(User.totp_secret)).one() == TOTP
        told = session.scalars(sa.select(AlertAddress)).one()
        assert (told.address, told.secret) == ("https://hooks.example/before-address", whsec("before-alerts"))


def test_what_could_not_be_wiped_is_wiped_by_the_next_upgrade(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    books = Books(f"sqlite:///{home / 'leaseline.db'}", home)
    with closing(Database(books.url)) as database, database.engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0031")
        fill(connection)
    here = Installation(home, {"LEASELINE_DATABASE_URL": books.url, "LEASELINE_SECRET_KEY": KEY})
    migrations.upgrade(books.url)
    with no_room(home / "leaseline.db"):
        told = here.run("db", "upgrade")
    assert (told.exit_code, told.stderr.count("\n")) == (0, 1)
    assert "run `leaseline db upgrade` again" in told.stderr
    with closing(Database(books.url, wait_seconds=0.1)) as database:
        assert sealed_in(database)
        assert b"before-carrier" in books.everything()
        with database.read() as reading:  # whoever reads keeps the file as it is
            reading.execute(sa.text("SELECT * FROM trunks")).all()
            assert rekeying.wipe(database) == "somebody else is reading it"
            assert b"before-carrier" in books.everything()
    assert here.run("db", "upgrade").stderr == ""
    books.hides({"before-carrier", "before-phone", "before-login", "before-address", TOTP})
    with no_room(home / "leaseline.db"):  # now nothing is due
        assert here.run("db", "upgrade").stderr == ""


def sealed_in(database: Database) -> bool:
    with database.read() as session:
        return not rekeying.look(session, Vault(KEY)).plain


@contextmanager
def no_room(path: Path) -> Iterator[None]:
    """No file of this process can become half as large as that one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def fill(connection: sa.Connection) -> None:
    """A row with a secret in each column that held one openly."""
    at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def insert(table: str, **values: Any) -> None:
        names = [sa.column(it, Instant() if it == "created_at" else None) for it in values]
        connection.execute(sa.insert(sa.table(table, *names)).values(**values))

    insert("companies", id=1, slug="pallets", name="P", default_region="RU", timezone="UTC", created_at=at)
    insert("trunks", id=1, name="one", kind="registration", host="192.0.2.1", port=5060, transport="udp",
           username="u", password="before-carrier", match="[]", caller_id="own",
           trust_asserted=True, created_at=at)  # fmt: skip
    insert("targets", id=1, company_id=1, name="Phone", kind="phone", transport="udp", caller_id="caller",
           username="phone", password="before-phone", login="us", login_password="before-login",
           created_at=at)  # fmt: skip
    insert("users", id=1, email="a@x.example", name="A", created_at=at,
           totp_secret=TOTP)  # fmt: skip
    insert("alert_addresses", id=1, way="webhook", address="https://hooks.example/before-address",
           secret=whsec("before-alerts"), created_at=at)  # fmt: skip


@pytest.fixture
def secretive(database: Database, now: datetime) -> Company:
    """A company with a carrier's password, a phone, a destination, an alert's webhook, a second factor."""
    with database.write() as session:
        pallets = add_pallets(session, now)
        company = session.get_one(Company, pallets.company_id)
        wish = TrunkWish(host="192.0.2.1", username="u", password="hush")
        trunks.add(session, by(now), "carrier", "registration", wish)
        session.add(
            Target(company_id=company.id, name="Phone", kind=TargetKind.PHONE, username="phone",
                   password="Kj7hGf5dS3aQ", created_at=now)
        )  # fmt: skip
        user = User(email="a@x.example", name="A", created_at=now)
        session.add(user)
        session.flush()
        secret = second_factor.begin(session, user)
        second_factor.confirm(session, by(now), user, pyotp.TOTP(secret).at(now))
        alert_addresses.add(session, by(now), company, "https://hooks.example/x")
        filled = Filled({"measurement_id": "G-ABC1234567", "api_secret": "s3cr3t-ga4"}, name="ga4")
        destination_list.add(session, by(now), company, "ga4", filled, vault=Vault(KEY))
        return company


def with_key(database: Database, key: str) -> Database:
    return Database(database.url.render_as_string(hide_password=False), secret_key=key, wait_seconds=5)


@pytest.mark.usefixtures("secretive")
def test_a_new_key_opens_everything_after_it_was_sealed_anew_and_the_old_one_nothing(
    database: Database, now: datetime
) -> None:
    with closing(with_key(database, OTHER)) as changed:
        count = rekeying.rekey(changed, Vault(KEY), Vault(OTHER), by(now))
        assert count == 6
        assert rekeying.rekey(changed, Vault(KEY), Vault(OTHER), by(now)) == 0
        with changed.read() as session:
            facts = load_facts(session)
            assert {it.password for it in facts.trunks if it.kind == "registration"} == {"hush"}
            assert "Kj7hGf5dS3aQ" in {it.password for it in facts.targets}
            sealed = session.scalars(sa.select(Destination.secrets)).one()
            assert Vault(OTHER).open(sealed) == {"api_secret": "s3cr3t-ga4"}
            assert not rekeying.look(session, Vault(OTHER)).shut
    with database.read() as session:
        assert sum(rekeying.look(session, Vault(KEY)).shut.values()) == count


@pytest.mark.usefixtures("secretive")
def test_a_key_that_opens_only_some_changes_nothing(database: Database, now: datetime) -> None:
    with closing(with_key(database, OTHER)) as changed:
        with changed.write() as session:
            wish = TrunkWish(host="192.0.2.7", username="u", password="typed-anew")
            trunks.add(session, by(now), "another", "registration", wish)
        with pytest.raises(Rejected, match=r"trunks\.password \(1\)"):
            rekeying.rekey(changed, Vault("y" * 40), Vault(OTHER), by(now))
        with changed.read() as session:
            found = rekeying.look(session, Vault(OTHER))
            assert (sum(found.opened.values()), sum(found.shut.values())) == (1, 6)
        assert rekeying.rekey(changed, Vault(KEY), Vault(OTHER), by(now)) == 6


@pytest.mark.usefixtures("secretive")
def test_with_a_wrong_key_all_else_works_and_says_what_is_shut(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    with closing(with_key(database, OTHER)) as lost:
        with lost.read() as session:
            facts: Facts = load_facts(session)
            shut = [each for each in problems(facts) if "another secret_key" in each]
            assert len(shut) == 2
            assert alert_addresses.list_addresses(session, [1])[0].shown == "…"
        with lost.write() as session:
            user = session.scalars(sa.select(User)).one()
            user.name = "Changed"
            session.scalars(sa.select(Trunk).where(Trunk.password.is_not(None))).one().port = 5070
            assert not second_factor.use_code(session, by(now), user, "000000")
            alert_addresses.test(session, by(now), session.scalars(sa.select(AlertAddress)).one())
        sender = Sender(lost, settings_in(tmp_path), Clock(now))
        sender.take_turn()
        sender.wait(30)
    with database.read() as session:  # nothing was lost
        user = session.scalars(sa.select(User)).one()
        assert (user.name, len(user.totp_secret or "")) == ("Changed", 32)
        assert session.scalars(sa.select(Trunk.password).where(Trunk.port == 5070)).one() == "hush"
        assert session.scalars(sa.select(AlertAddress.address)).one() == "https://hooks.example/x"
        (listed,) = alert_addresses.list_addresses(session, [1])
        assert listed.last is not None
        assert "another secret_key" in str(listed.last.answer)
        assert listed.last.given_up_at is None


def test_deliveries_wait_until_the_key_is_the_right_one(told: Told) -> None:
    with told.pointing("webhook", events=["call.completed"]) as (_, double):
        told.call("one")
        wrong = Postman(told.database, replace(told.settings, secret_key=OTHER), told.clock)
        told.send(wrong)
        assert "another secret_key" in str(told.destination().answer)
        told.pass_time(hours=1)
        told.send()
        assert double.taken == ["one"]


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: the supervisor's socket is in it."""
    with tempfile.TemporaryDirectory(prefix="rekey-") as folder:
        yield Path(folder)


def test_the_command_seals_anew_and_doctor_says_what_is_shut(home: Path) -> None:
    here = Installation(home)
    here.done("db", "upgrade")
    here.done("trunk", "add", "one", "--host", "192.0.2.1", "--username", "u", "--password", "hush")
    kept, old = home / "secrets" / "secret_key", home / "old.key"
    kept.rename(old)
    (said,) = [it for it in here.json_anyway("doctor") if it["name"] == "secrets"]
    assert said["state"] == "bad"
    assert "1 of trunks.password" in said["message"]
    assert "leaseline secrets rekey" in said["fix"]
    wrong = home / "wrong.key"
    wrong.write_text("w" * 43)
    assert "Neither key opens all of them" in here.refused("secrets", "rekey", "--old-key-file", str(wrong))
    assert here.json("secrets", "rekey", "--old-key-file", str(old)) == {"sealed": 1}
    (said,) = [it for it in here.json_anyway("doctor") if it["name"] == "secrets"]
    assert said["state"] == "ok"
