"""The website's visitors on stage: they arrive one after the other, each sees a number, some will call it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from playwright.sync_api import Page

from demo import company, visitors
from demo.home import Home
from demo.shop import shop
from demo.story import OWN, REGION, WEBSITE, Scene
from demo.visitors import Seen, Visitor
from tracker.calls import Source, source_of_visit
from tracker.database import Database
from tracker.models import Visit
from tracker.policy.phone import display


@dataclass(frozen=True)
class Visited:
    """A visitor, what stood on his page, and where the books say he came from."""

    visitor: Visitor
    seen: Seen
    source: Source | None
    page: Page


@contextmanager
def visited(home: Home, database: Database, who: Sequence[Visitor]) -> Iterator[list[Visited]]:
    """Every visitor has the shop open in a browser of his own, until the end of the block."""
    if not who:
        yield []
        return
    own = display(OWN, REGION)
    with (
        shop(home.shop_port, snippet=company.snippet(), e164=OWN, phone=own) as address,
        visitors.browser() as browser,
    ):
        pages = [(each, *visitors.visit(browser, address, each)) for each in who]
        for each, page, _seen in pages:
            if each.phone:
                visitors.tap_number(page)
        yield [Visited(each, seen, _source(database, each), page) for each, page, seen in pages]


def ask_for_call(found: Sequence[Visited], scene: Scene) -> None:
    """Whoever asks in the scene does so on the page that he has open."""
    (page,) = (each.page for each in found if each.visitor.who == scene.who)
    visitors.ask_for_call(page, display(str(scene.number), REGION))


def differences(found: Sequence[Visited]) -> list[str]:
    """One sentence for each visitor who saw what he should not, or whose source was not found out."""
    problems = [f"{each.visitor.who}: the source is {each.source}" for each in found
                if each.source != each.visitor.source]  # fmt: skip
    problems += [f"{each.visitor.who} reads {each.seen.text}, the link calls {each.seen.e164}"
                 for each in found if display(each.seen.e164, REGION) != each.seen.text]  # fmt: skip
    shown = [each.seen.e164 for each in found]
    if found and sorted(shown) != sorted([*WEBSITE, OWN]):
        problems.append(f"five visitors should see the pool's numbers and one the company's own, not {shown}")
    if found and shown[-1] != OWN:
        problems.append(f"{found[-1].visitor.who} should see the company's own number")
    return problems


def _source(database: Database, visitor: Visitor) -> Source | None:
    with database.read() as session:
        wanted = sa.select(Visit).where(Visit.landing_url.endswith(visitor.lands_on, autoescape=True))
        visit = session.scalars(wanted).one_or_none()
    return source_of_visit(visit) if visit is not None else None
