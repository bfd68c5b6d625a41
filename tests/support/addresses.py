"""Every address of the page that shows something to who is logged in, from the application's own map.

    shown(app, session)["/calls/<key>"]     # "/calls/6f1c…": one call, one visit, one of each thing there is

A new route is found by itself; one with a new kind of part says here what stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tracker.models import (
    Call,
    CallPlan,
    Channel,
    Company,
    Destination,
    Inlet,
    Number,
    PlanVersion,
    Pool,
    Site,
    Target,
    User,
    Visit,
)
from web.public import is_public

# What is no page: data, files, pictures, ways to another system and back.
_NO_PAGE = re.compile(r"^/(api|callrail)/|\.(csv|xlsx|wav)$|/audio$|/download/|/qr$|/connect(ed)?$")


def shown(app: Flask, session: Session, **more: str) -> dict[str, str]:
    """By rule, the address of a page; `more` names the part of a rule and what stands for it."""
    parts = _parts(session) | more
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    pages = [rule for rule in rules if not is_public(app.view_functions[rule.endpoint])]
    return {rule.rule: fill(rule.rule, parts) for rule in pages if not _NO_PAGE.search(rule.rule)}


def fill(rule: str, parts: Mapping[str, str]) -> str:
    """The address of a rule. KeyError for a part nothing stands for."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: parts[found[1]], rule)


def _parts(session: Session) -> dict[str, str]:
    """The first of each thing there is."""
    found = {
        "key": Call.key, "visit": Visit.id, "company": Company.slug, "channel": Channel.id,
        "number": Number.id, "plan": CallPlan.id, "pool": Pool.id, "site": Site.id,
        "target": Target.id, "user": User.id, "destination": Destination.id, "inlet": Inlet.id,
    }  # fmt: skip
    ids = {name: session.scalars(sa.select(column).limit(1)).first() for name, column in found.items()}
    return (
        {name: str(each) for name, each in ids.items()} | {"scope": "company", "word": "ga4"} | _step(session)
    )


def _step(session: Session) -> dict[str, str]:
    """The first step of the first plan."""
    version = session.scalars(sa.select(PlanVersion).limit(1)).first()
    return {"step": next(iter(version.document["steps"]), "")} if version else {"step": ""}
