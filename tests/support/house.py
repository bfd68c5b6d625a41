"""The whole product for the end-to-end tests: real Asterisk, agi, web and worker under the real supervisor.

    line = house.line()                          # a number of its own, forwarded to a phone of its own
    phone = house.phone(line.phones[0], [...])   # steps of demo.scenario
    caller = house.caller(line, [...])
    call = house.call_of(caller)                 # its row in the books, once it has ended

Every test has its own number, phones and callers, so that tests share one house and nothing else.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from support.memory import short
from support.ports import free_port
from support.sip import Telephone

from demo import scenario
from demo.sipp import Party
from dialplan.apply import Applied, apply, command
from dialplan.facts import load_facts
from dialplan.program import find_program
from dialplan.render import place_of
from tracker import plan_sounds
from tracker.database import Database
from tracker.models import (
    Call,
    CallerIdPolicy,
    Channel,
    Company,
    Forwarding,
    Number,
    NumberUse,
    Target,
    TargetKind,
    Trunk,
    TrunkKind,
)
from tracker.settings import CHECKOUT, Settings, read_settings

CARRIER = "127.0.0.2"  # the trunk's address; Asterisk knows the carrier by it
OFFICE = "127.0.0.1"  # where the company's phones are

# Ports that neither the kernel nor another house nor a demo takes (it has 16000 to 16199 and 17000 to
# 31000): two workers of a test run have a house each.
_HALF = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2
_SIP_PORTS = itertools.cycle(random.sample(range(10000 + 3000 * _HALF, 13000 + 3000 * _HALF), 3000))
_SOUND_PORTS = itertools.cycle(random.sample(range(61000 + 2250 * _HALF, 63250 + 2250 * _HALF, 10), 225))
_RTP_START = (16200, 31000)[_HALF]

T = TypeVar("T")


def until(what: Callable[[], T | None], seconds: float = 15, *, why: str = "") -> T:
    """The first true value of `what`; asked every 50 ms, a TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {why or what}")
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Phone:
    """A place that rings: where SIPp listens, and the target's id."""

    target_id: int
    port: int


@dataclass(frozen=True)
class Line:
    """A number of a test's own, with the phones that ring for it in order."""

    number_id: int
    e164: str
    phones: tuple[Phone, ...]


@dataclass(frozen=True)
class Caller:
    """A caller on the line: the SIPp process and the number it calls from."""

    party: Party
    number: str


class House:
    """Started once a test run. `database_url` is SQLite in the home folder unless given."""

    def __init__(self, **more: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ll-", dir=short()))
        self.environ = {
            "LEASELINE_HOME": str(self.home),
            "LEASELINE_NODE": "house",
            "LEASELINE_COMPANY": "pallets",  # some tests have companies of their own beside it
            "LEASELINE_SIP_HOST": OFFICE,
            "LEASELINE_SIP_PORT": str(self.sip_port()),
            "LEASELINE_SIP_OPTIONS_SECONDS": "0",  # SIPp takes OPTIONS for a broken call
            "LEASELINE_RTP_START": str(_RTP_START),
            "LEASELINE_RTP_END": str(_RTP_START + 799),
            "LEASELINE_AGI_PORT": str(free_port()),
            "LEASELINE_AMI_PORT": str(free_port()),
            "LEASELINE_WEB_PORT": str(free_port()),
        } | more
        self.settings: Settings = read_settings(self.environ)
        self.program = find_program(self.settings)
        self.place = place_of(self.settings)
        self.numbers = itertools.count(1)
        self.callers = itertools.count(1)
        self.trunks = itertools.count(1)
        self.parties: list[Party | Telephone] = []
        self._waits_to_apply = False
        self.cli("up", "--detach", "--wait-seconds", "30", seconds=90)
        self.database = Database(self.settings.database_url, secret_key=self.settings.secret_key)
        self._furnish()

    def cli(
        self, *arguments: str, seconds: float = 60, accept: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        """Run `leaseline`; a failure raises with everything it said."""
        environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **self.environ}
        done = subprocess.run(
            [sys.executable, CHECKOUT / "cli.py", *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode not in accept:
            raise RuntimeError(f"leaseline {' '.join(arguments)}: {done.stdout}{done.stderr}{self.logs()}")
        return done

    def _furnish(self) -> None:
        now = datetime.now(UTC)
        with self.database.write() as session:
            company = Company(
                slug="pallets", name="Pallets", default_region="RU", timezone="Europe/Moscow", created_at=now
            )
            trunk = Trunk(
                name="carrier",
                kind=TrunkKind.IP,
                host=CARRIER,
                port=5060,
                match=[CARRIER],
                caller_id=CallerIdPolicy.OWN,
                created_at=now,
            )
            session.add_all([company, trunk])
            session.flush()
            self.company_id, self.trunk_id = company.id, trunk.id

    def company(self, slug: str, **wish: Any) -> int:
        """A further company's id; made when a test first asks for it."""
        with self.database.write() as session:
            if (known := session.scalar(sa.select(Company.id).where(Company.slug == slug))) is not None:
                return known
            company = Company(slug=slug, name=slug, default_region="RU", created_at=datetime.now(UTC), **wish)
            session.add(company)
            session.flush()
            return company.id

    # ---- configuration ----

    def line(
        self,
        phones: int = 1,
        *,
        ring_seconds: int = 10,
        record: bool = True,
        company_id: int | None = None,
        **target: Any,
    ) -> Line:
        """A new number of a channel of its own, forwarded to new phones, applied to the running Asterisk."""
        count = next(self.numbers)
        e164 = f"+7495{random.randrange(1000, 9000)}{count:03}"
        now = datetime.now(UTC)
        owner = company_id or self.company_id
        with self.database.write() as session:
            channel = Channel(
                company_id=owner,
                name=f"channel {count}",
                source=f"billboard {count}",
                created_at=now,
            )
            number = Number(company_id=owner, e164=e164, record=record, created_at=now)
            session.add_all([channel, number])
            session.flush()
            session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=now))
            places = [
                self._add_phone(session, number, count, place, ring_seconds, target)
                for place in range(phones)
            ]
            number_id = number.id
        self.apply()
        return Line(number_id, e164, tuple(places))

    def _add_phone(self, session: Any, number: Number, count: int, place: int, ring: int, more: Any) -> Phone:
        port = self.sip_port()
        wish = {"kind": TargetKind.PEER, "host": OFFICE, "port": port, "dial": "main"} | more
        target = Target(
            company_id=number.company_id, name=f"phone {count}.{place}", created_at=datetime.now(UTC), **wish
        )
        session.add(target)
        session.flush()
        session.add(
            Forwarding(
                company_id=number.company_id,
                number_id=number.id,
                position=place,
                target_id=target.id,
                ring_seconds=ring,
            )
        )
        return Phone(target.id, port)

    def trunk(self, **wish: Any) -> Trunk:
        """A further carrier with an address of its own, applied to the running Asterisk."""
        count = next(self.trunks)
        host = f"127.0.1.{count}"
        plain = {"kind": TrunkKind.IP, "host": host, "port": self.sip_port(host), "match": [host]}
        trunk = Trunk(name=f"carrier {count}", created_at=datetime.now(UTC), **plain | wish)
        with self.database.write() as session:
            session.add(trunk)
            session.flush()
            session.expunge(trunk)
        self.apply()
        return trunk

    def apply(self, **changed: Any) -> Applied:
        """Render the database into the running Asterisk, with settings changed for a test."""
        if self._waits_to_apply:
            return Applied((), reloaded=False)
        with self.database.read() as session:
            facts = load_facts(session)
            plan_sounds.make_all(session, self.settings, datetime.now(UTC))
        return apply(replace(self.settings, **changed), self.program, facts, datetime.now(UTC))

    @contextmanager
    def applying_once(self) -> Iterator[None]:
        """Lines that are made inside are applied together at its end."""
        self._waits_to_apply = True
        try:
            yield
        finally:
            self._waits_to_apply = False
        self.apply()

    def console(self, line: str) -> str:
        return command(self.program, self.place, line)

    # ---- people ----

    def phone(
        self, phone: Phone, steps: Iterable[str], *, calls: int = 1, options: tuple[str, ...] = ()
    ) -> Party:
        """A phone of the company, waiting for its call."""
        party = Party(
            scenario.phone(steps),
            address=OFFICE,
            port=phone.port,
            media_port=self._media_port(OFFICE),
            calls=calls,
            options=options,
        )
        self.parties.append(party)
        until(lambda: _listens(phone.port), why="SIPp listens")
        return party

    def caller(
        self,
        line: Line | str,
        steps: Iterable[str],
        *,
        number: str | None = None,
        who: str | None = None,
        calls: int = 1,
        address: str = CARRIER,
        options: tuple[str, ...] = (),
    ) -> Caller:
        """Somebody who dials the line from a number nobody else in this run has."""
        number = number or f"+49151{10000000 + next(self.callers)}"
        port = self.sip_port(address)
        party = Party(
            scenario.caller(steps, who=who or f'"Ann Caller" <sip:{number}@carrier.example>'),
            address=address,
            port=port,
            media_port=self._media_port(address),
            calls=calls,
            options=options,
            towards=f"{OFFICE}:{self.settings.sip_port}",
            number=line if isinstance(line, str) else line.e164,
        )
        self.parties.append(party)
        return Caller(party, number)

    def sip_port(self, address: str = OFFICE) -> int:
        """A port for SIP that stays free until it is used: neither the kernel nor Asterisk hands it out."""
        return next(port for port in _SIP_PORTS if _is_free(address, port))

    def _media_port(self, address: str) -> int:
        """A port for SIPp's sound, above those the kernel hands out; SIPp takes the next even one as well."""
        return next(
            port for port in _SOUND_PORTS if all(_is_free(address, each) for each in (port, port + 2))
        )

    def telephone(
        self, address: str = OFFICE, *, port: int = 0, user: str = "phone", password: str = ""
    ) -> Telephone:
        """A telephone of our own, for what SIPp cannot play."""
        asterisk = OFFICE, self.settings.sip_port
        telephone = Telephone(asterisk, address, port=port, user=user, password=password)
        self.parties.append(telephone)
        return telephone

    # ---- the books ----

    def calls(self, *conditions: Any) -> list[Call]:
        statement = sa.select(Call).options(joinedload(Call.recording), joinedload(Call.channel))
        with self.database.read() as session:
            return list(session.scalars(statement.where(*conditions).order_by(Call.id)))

    def count(self, *conditions: Any) -> int:
        """How many calls in the books answer to the conditions."""
        with self.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Call).where(*conditions)) or 0

    def call_of(self, caller: Caller, seconds: float = 15) -> Call:
        """The one call of this caller, once it has ended; two calls are a failure."""
        ended = until(
            lambda: self.calls(Call.caller == caller.number, Call.ended_at.is_not(None)),
            seconds,
            why=f"a call of {caller.number} in the books",
        )
        assert len(ended) == 1
        return ended[0]

    def pid(self, part: str) -> int:
        """The process id of asterisk, agi, web or worker as it runs now."""
        from commands import supervisor

        states = {state.name: state.pid for state in supervisor.states(self.settings)}
        return until(lambda: states[part], why=f"{part} runs") or 0

    def logs(self) -> str:
        tails = [
            f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
            for path in sorted(self.settings.logs.glob("*"))
            if path.is_file()
        ]
        return "\n".join(tails)

    def hush(self) -> None:
        """End every party a test left behind."""
        while self.parties:
            self.parties.pop().close()

    def close(self) -> None:
        self.hush()
        self.database.close()
        self.cli("stop", seconds=90)
        shutil.rmtree(self.home, ignore_errors=True)


def _is_free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _listens(port: int) -> bool:
    entry = f":{port:04X} "
    return any(
        entry in line.split(maxsplit=1)[1][:30] for line in Path("/proc/net/udp").read_text().splitlines()[1:]
    )
