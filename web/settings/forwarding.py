"""Who rings, in what order: for the company, a channel, a pool, a number; and where a plan counts instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from flask import Blueprint, redirect, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import forward, numbers, owned, targets
from tracker.errors import Rejected
from tracker.models import Company, Number, Pool, Target
from tracker.policy.phone import display
from tracker.scopes import Scope as Owner
from web.house import house, row_id
from web.settings import places, plan_places, ring_order
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.plan_places import Use
from web.settings.ring_order import Step
from web.settings.room import changing, reading, show

pages = Blueprint("settings_forwarding", __name__)

KINDS = ("channel", "pool", "number")
Rings = list[tuple[Target, int]]  # who rings, for how many seconds


@dataclass(frozen=True)
class Scope:
    """Something that forwarding may be set for: its word in addresses, its name, and what is set."""

    word: str
    kind: str
    name: str
    rings: Rings = field(default_factory=list)
    plan: Use | None = None  # counts instead


@pages.get("/settings/<company>/forwarding")
def index(company: str) -> str | Response:
    """Everything that is set, scope by scope; with `scope`, on to that one."""
    if chosen := request.args.get("scope"):
        return redirect(f"/settings/{company}/forwarding/{_word(chosen)}")
    with reading(company) as (session, owner):
        found = scopes_of(session, owner)
        has = bool(targets.of_company(session, owner))
        return show(session, owner, "forwarding.html", scopes=found, has_targets=has)


@pages.get("/settings/<company>/forwarding/<scope>")
def order_form(company: str, scope: str) -> str:
    """Who rings for `company`, `channel-3`, `pool-2` or `number-7`."""
    return _page(company, scope, EMPTY, None)


@pages.post("/settings/<company>/forwarding/<scope>")
def change(company: str, scope: str) -> str | Response:
    """What `do` says: save the `target`s with their `seconds`, clear what is set; anything else arranges."""
    do = text("do")
    if do not in {"save", "clear"}:
        with reading(company) as (session, owner):
            arranged = ring_order.arranged(session, owner, do)
        return _page(company, scope, EMPTY, arranged)

    def act() -> str:
        with changing(company) as (session, owner, by):
            of = _scope(session, owner, scope)
            if do == "clear":
                forward.clear(session, by, of)
            else:
                steps = ring_order.typed(session, owner)
                known = {each.id: each for each in targets.of_company(session, owner)}
                rings = [(known[step.target_id], ring_order.seconds_of(step)) for step in steps]
                forward.set_rings(session, by, of, rings)
        return f"/settings/{company}/forwarding/{scope}?saved"

    def again(form: Form) -> str:
        with reading(company) as (session, owner):
            steps = ring_order.typed(session, owner)
        return _page(company, scope, form, steps)

    return attempt(act, again, {})


def scopes_of(session: Session, owner: Company) -> list[Scope]:
    """The company, its channels and pools, and the numbers that have an order of their own."""
    found = {"company": Scope("company", "company", owner.name)}
    for kind, named in places.choices(session, owner).items():
        found |= {word: Scope(word, kind, name) for word, name in named}
    rows = forward.of_company(session, owner)
    own = sa.select(Number.id, Number.e164).where(Number.id.in_({row.number_id for row in rows}))
    numbered = {row.id: row.e164 for row in session.execute(own)}
    for row in rows:
        word = _word_of(row.number_id, row.channel_id, row.pool_id)
        if word not in found:
            found[word] = Scope(word, "number", display(numbered[row.number_id or 0], owner.default_region))
        found[word].rings.append((row.target, row.ring_seconds))
    for use in plan_places.uses_of(session, owner):
        found[use.word] = replace(found.get(use.word) or Scope(use.word, use.kind, use.name), plan=use)
    return list(found.values())


def _word_of(number_id: int | None, channel_id: int | None, pool_id: int | None) -> str:
    ids = {"number": number_id, "channel": channel_id, "pool": pool_id}
    return next((f"{kind}-{held}" for kind, held in ids.items() if held is not None), "company")


def _word(chosen: str) -> str:
    """A scope's word, and nothing that could lead elsewhere."""
    kind, _, number = chosen.partition("-")
    return f"{kind}-{row_id(number)}" if kind in KINDS else "company"


def _scope(session: Session, owner: Company, word: str) -> Owner:
    """Raises Rejected channel.unknown, pool.unknown, number.unknown, forward.scope."""
    if word == "company":
        return owner
    kind, _, number = word.partition("-")
    if kind == "number":
        return owned.find(session, Number, owner.id, row_id(number))
    place = places.read(session, owner, word)
    if place is None:
        raise Rejected("forward.scope", "There is nothing of that name to ring for", "Choose from the list")
    return place


def _page(company: str, word: str, form: Form, steps: Sequence[Step] | None) -> str:
    with reading(company) as (session, owner):
        of = _scope(session, owner, word)
        known = {scope.word: scope for scope in scopes_of(session, owner)}
        rings = {scope.word: scope.rings for scope in known.values()}
        stored = [Step(target.id, target.name, str(seconds)) for target, seconds in rings.get(word, ())]
        return show(
            session,
            owner,
            "forwarding_order.html",
            form=form,
            word=word,
            name=_name(of, owner),
            steps=stored if steps is None else steps,
            unsaved=steps is not None and list(steps) != stored,
            is_set=bool(stored),
            plan=known[word].plan if word in known else None,
            inherited=None if stored else _inherited(session, of, known),
            targets=ring_order.choices(session, owner),
            usual=house().settings.ring_seconds,
        )


def _inherited(session: Session, of: Owner, known: Mapping[str, Scope]) -> Scope | None:
    """What counts where nothing is set: the channel's or pool's, else the site's plan, else the company's."""
    if isinstance(of, Company):
        return None
    wider = list[str]()
    pool_id = of.id if isinstance(of, Pool) else None
    if isinstance(of, Number):
        use = next((use for use in numbers.uses(session, of) if use.until_at is None), None)
        wider = [_word_of(None, use.channel_id, use.pool_id)] if use else []
        pool_id = use.pool_id if use else None
    wider += [f"site-{each}" for each in plan_places.sites_of(session, pool_id)]
    found = (known[word] for word in wider if word in known)
    return next((scope for scope in found if scope.rings or scope.plan), known["company"])


def _name(of: Owner, owner: Company) -> str:
    match of:
        case Number():
            return display(of.e164, owner.default_region)
        case Company():
            return gettext("The whole company")
    return of.name
