"""The company Pallets, set up by the very commands that an admin types; and its one visitor."""

from __future__ import annotations

import io
import json
import shlex
import uuid
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from demo import story
from demo.play import CARRIER, OFFICE
from tracker import channels, companies
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Lease, Number, Site, Visit, Visitor
from tracker.policy.phone import display

OWNER = "olga@pallets.example"


def commands(main_line_port: int) -> list[str]:
    """What is typed to set the company up."""
    billboard, leaflet, website, spare = (
        shlex.quote(display(number, story.REGION))
        for number in (story.BILLBOARD, story.LEAFLET, story.WEBSITE, story.SPARE)
    )
    return [
        f"company add pallets --name Pallets --region {story.REGION} --timezone {story.TIMEZONE}",
        f"trunk add carrier --host {CARRIER}",
        f'target add "Main line" --peer {OFFICE} --port {main_line_port} --dial 100',
        f'forward set "Main line:{story.RING_SECONDS}"',
        "channel add Billboard --campaign spring",
        "channel add Leaflet",
        "pool add Website",
        f"number add {billboard} --channel Billboard",
        f"number add {leaflet} --channel Leaflet",
        f"number add {website} --pool Website",
        f"number add {spare} --pool Website",
        f"user add {OWNER} --name Olga --role owner",
    ]


def set_up(main_line_port: int, tell: Callable[[str], None]) -> None:
    """Run the commands, each told before it is run."""
    for command in commands(main_line_port):
        tell(f"leaseline {command}")
        leaseline(command)


def login_link() -> str:
    """The one-time link with which the page's first user logs in."""
    return str(json.loads(leaseline(f"user link {OWNER} --json"))["link"])


def leaseline(command: str) -> str:
    """Run a `leaseline` command in this process and return what it said. Raises Rejected when it refuses."""
    from cli import leaseline as program

    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        try:
            program.main(shlex.split(command))
        except SystemExit as end:
            code = end.code
    if code:
        reason = complained.getvalue().strip().removeprefix("leaseline: ")
        raise Rejected(
            "demo.command", f"`leaseline {command}` was refused: {reason}", "See `leaseline doctor`"
        )
    return said.getvalue()


def lease_to_visitor(database: Database) -> None:
    """Ben opens the website: a visit with its source, and a number leased to it."""
    now = datetime.now(UTC)
    wish = story.BENS_VISIT
    with database.write() as session:
        company = companies.get(session, "pallets")
        pool = channels.get_pool(session, company, "Website")
        number = session.scalars(sa.select(Number).where(Number.e164 == story.WEBSITE)).one()
        site = Site(company_id=company.id, name="pallets.example", key=_key(), created_at=now)
        visitor = Visitor(company_id=company.id, key=_key(), created_at=now)
        session.add_all([site, visitor])
        session.flush()
        visit = Visit(visitor_id=visitor.id, site_id=site.id, started_at=now, **vars(wish))
        session.add(visit)
        session.flush()
        until = now + timedelta(hours=1)
        number.free_at = None
        session.add(
            Lease(number_id=number.id, pool_id=pool.id, visit_id=visit.id, from_at=now, expires_at=until)
        )


def _key() -> str:
    return uuid.uuid4().hex
