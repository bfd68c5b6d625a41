"""Pools: numbers leased to a website's visitors, by what rules, and how many of them it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import advice, numbers, owned, pools
from tracker.coverage import coverage
from tracker.errors import Rejected
from tracker.models import Company, Number, Pool, WhenEmpty
from tracker.policy.channel_groups import ChannelGroup
from web.house import house, row_id
from web.settings.forms import EMPTY, Form, attempt, differing, text, whole
from web.settings.room import changing, reading, show

pages = Blueprint("settings_pools", __name__)

TIMES = ("hold_seconds", "idle_seconds", "longest_seconds", "cooldown_seconds")
USUAL = {"hold_seconds": 300, "idle_seconds": 600, "longest_seconds": 14400, "cooldown_seconds": 0}
WHEN_EMPTY = {
    WhenEmpty.REAL: lazy_gettext("The company's own number"),
    WhenEmpty.SOURCE: lazy_gettext("The source's number"),
    WhenEmpty.OVERFLOW: lazy_gettext("The overflow number"),
    WhenEmpty.CODE: lazy_gettext("The own number with a visitor code"),
}
FIELDS = {
    "pool.text": ("name",),
    "pool.duplicate": ("name",),
    **{f"pool.{name.removesuffix('_seconds')}": (name,) for name in TIMES},
    "pool.paid": ("paid_percent",),
    "pool.when_empty": ("when_empty",),
    "pool.overflow": ("overflow_number",),
    "number.malformed": ("overflow_number",),
    "pool.target": ("target",),
    "pool.visitors": ("visitors",),
}


@pages.get("/settings/<company>/pools")
def index(company: str) -> str:
    """The company's pools, and what their numbers do right now."""
    with reading(company) as (session, owner):
        at = house().clock()
        rows = [(each, pools.standing(session, each, at)) for each in pools.pools_of(session, owner)]
        return show(session, owner, "pools.html", rows=rows)


@pages.get("/settings/<company>/pools/add")
def add_form(company: str) -> str:
    """Asks for the rules of a new pool."""
    return _page(company, None, EMPTY)


@pages.post("/settings/<company>/pools/add")
def add(company: str) -> Response:
    """Adds the pool `name` with its rules."""

    def act() -> str:
        wish = _wish()
        with changing(company) as (session, owner, by):
            made = pools.add_pool(session, by, owner, text("name"), **wish)
            return f"/settings/{company}/pools/{made.id}?saved"

    return attempt(act, lambda form: _page(company, None, form), FIELDS)


@pages.get("/settings/<company>/pools/<pool>")
def pool_form(company: str, pool: str) -> str:
    """A pool's rules, its numbers, and how the last day went."""
    return _page(company, pool, EMPTY)


@pages.post("/settings/<company>/pools/<pool>")
def change(company: str, pool: str) -> Response:
    """Changes the pool's rules, or deletes it (`do` is `delete`)."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            found = owned.find(session, Pool, owner.id, row_id(pool))
            if text("do") == "delete":
                pools.delete_pool(session, by, found)
                return f"/settings/{company}/pools?saved"
            wish, name = differing(_wish(), _stored(session, found)), text("name")
            if wish or name != found.name:
                pools.change_pool(session, by, owner, found, name=name, **wish)
        return f"/settings/{company}/pools/{pool}?saved"

    return attempt(act, lambda form: _page(company, pool, form), FIELDS)


@dataclass(frozen=True)
class Asked:
    """What the advice is asked for: the share of visitors who may go without, and who is expected."""

    target: str
    visitors: str
    minutes: str


@pages.get("/settings/<company>/pools/<pool>/advice")
def advise(company: str, pool: str) -> str:
    """How many numbers the pool needs: from its visits, or from `visitors` an hour who stay `minutes`."""
    given = request.args
    asked = Asked(given.get("target", "1"), given.get("visitors", ""), given.get("minutes", ""))
    with reading(company) as (session, owner):
        found = owned.find(session, Pool, owner.id, row_id(pool))
        try:
            told, problem = _advice(session, owner, found, asked), None
        except Rejected as refused:
            told, problem = None, refused
        form = Form(request.args, problem, FIELDS)
        return show(session, owner, "pool_advice.html", pool=found, asked=asked, told=told, form=form)


def _advice(session: Session, owner: Company, pool: Pool, asked: Asked) -> advice.Advice:
    try:
        share = float(asked.target.replace(",", ".").rstrip("% ")) / 100
    except ValueError:
        raise Rejected(
            "pool.target", "%(target)r is no share", "Give a percentage such as 1", target=asked.target[:20]
        ) from None
    if not asked.visitors and not asked.minutes:
        return advice.advise(session, owner, pool, house().clock(), target=share)
    try:
        visitors, minutes = (float(each.replace(",", ".")) for each in (asked.visitors, asked.minutes))
    except ValueError:
        raise Rejected(
            "pool.visitors", "These are no numbers", "Give visitors an hour and minutes, both above 0"
        ) from None
    return advice.plan(
        visitors,
        minutes,
        target=share,
        hold_seconds=pool.hold_seconds,
        numbers=pools.standing(session, pool, house().clock()).numbers,
        model=advice.model_of(session, owner),
    )


def _wish() -> pools.PoolWish:
    """The rules as they were typed."""

    def seconds(name: str) -> int:
        what = f"pool.{name.removesuffix('_seconds').removesuffix('_percent')}"
        return whole(
            name, Rejected(what, "%(text)r is no whole number", "Give whole numbers", text=text(name)[:20])
        )

    return {
        "hold_seconds": seconds("hold_seconds"),
        "idle_seconds": seconds("idle_seconds"),
        "longest_seconds": seconds("longest_seconds"),
        "cooldown_seconds": seconds("cooldown_seconds"),
        "release_after_call": bool(text("release_after_call")),
        "paid_percent": seconds("paid_percent"),
        "dynamic_for": request.form.getlist("dynamic_for"),
        "when_empty": text("when_empty"),
        "overflow_number": text("overflow_number"),
    }


def _stored(session: Session, pool: Pool) -> dict[str, Any]:
    """The rules as they are."""
    plain = pools.PoolWish.__annotations__.keys() - {"overflow_number"}
    special = {"overflow_number": _overflow(session, pool), "dynamic_for": list(pool.dynamic_for)}
    return {name: getattr(pool, name) for name in plain} | special


def _overflow(session: Session, pool: Pool) -> str:
    number = session.get(Number, pool.overflow_number_id) if pool.overflow_number_id else None
    return number.e164 if number else ""


def _page(company: str, pool: str | None, form: Form) -> str:
    with reading(company) as (session, owner):
        about: dict[str, Any] = {"form": form, "pool": None, "USUAL": USUAL, "WHEN_EMPTY": WHEN_EMPTY}
        about["groups"] = tuple(ChannelGroup)
        if pool is not None:
            found, at = owned.find(session, Pool, owner.id, row_id(pool)), house().clock()
            about |= {
                "pool": found,
                "overflow": _overflow(session, found),
                "numbers": numbers.listed(session, owner, place=found),
                "standing": pools.standing(session, found, at),
                "day": coverage(session, pool_id=found.id, since=at - timedelta(days=1), until=at),
            }
        return show(session, owner, "pool.html", **about)
