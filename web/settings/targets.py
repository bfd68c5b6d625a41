"""Targets: the places that can ring, and once, when it is made, a phone's password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import applying, forward, owned, plan_list, provisioning, targets, trunks
from tracker.errors import Rejected
from tracker.models import Company, Target, TargetKind, Trunk
from web.house import house, row_id
from web.phone import qr
from web.settings.forms import EMPTY, Form, attempt, text, whole
from web.settings.forwarding import scopes_of
from web.settings.reach import reach_of
from web.settings.room import changing, reading, show

pages = Blueprint("settings_targets", __name__)

KINDS = {
    TargetKind.PEER: lazy_gettext("A phone system"),
    TargetKind.PHONE: lazy_gettext("A phone"),
    TargetKind.OUTSIDE: lazy_gettext("An outside number"),
    TargetKind.EXTENSION: lazy_gettext("An extension"),
}
CALLER_IDS = {
    "caller": lazy_gettext("The caller's number"),
    "own": lazy_gettext("The number dialled; the caller in P-Asserted-Identity"),
    "rpid": lazy_gettext("The number dialled; the caller in Remote-Party-ID"),
    "diversion": lazy_gettext("The caller's number; the number dialled in Diversion"),
}
SRTP = {
    "off": lazy_gettext("Not encrypted"),
    "optional": lazy_gettext("Encrypted where both sides can"),
    "required": lazy_gettext("Only encrypted"),
}
FIELDS = {
    "target.srtp": ("srtp",),
    "target.login": ("login",),
    "provision.hours": ("hours",),
    "target.name": ("name",),
    "target.duplicate": ("name",),
    "target.host": ("host",),
    "target.port": ("port",),
    "target.transport": ("transport",),
    "target.dial": ("dial",),
    "target.caller_id": ("caller_id",),
    "target.username": ("username",),
    "number.malformed": ("number",),
    "target.costly": ("number",),
    "target.unknown_range": ("number",),
    "target.abroad": ("country",),
}


@pages.get("/settings/<company>/targets")
def index(company: str) -> str:
    """The company's targets, and whether anybody is forwarded there."""
    with reading(company) as (session, owner):
        planned = {name for plan in plan_list.read_all(session, owner).values() for name in plan.targets}
        rung = {row.target_id for row in forward.of_company(session, owner)}
        rung |= {each.id for each in targets.of_company(session, owner) if each.name in planned}
        states = applying.endpoints(session)
        rows = [(each, reach_of(each, states)) for each in targets.of_company(session, owner)]
        return show(session, owner, "targets.html", rows=rows, rung=rung, KINDS=KINDS)


@pages.get("/settings/<company>/targets/add")
def add_form(company: str) -> str:
    """Asks for a place of the `kind` peer, phone or outside."""
    return _add(company, EMPTY)


@pages.post("/settings/<company>/targets/add")
def add(company: str) -> Response:
    """Adds the target `name` of the `kind` peer, phone or outside; the answer has a phone's password."""

    def act() -> str | Response:
        with changing(company) as (session, owner, by):
            made = targets.add(session, by, owner, text("name"), _place(session))
        if made.password is None:
            return f"/settings/{company}/targets/{made.id}?saved"
        return make_response(_page(company, str(made.id), EMPTY, password=made.password))

    return attempt(act, lambda form: _add(company, form), FIELDS)


@pages.get("/settings/<company>/targets/<target>")
def target_form(company: str, target: str) -> str:
    """A target: where it is and who is forwarded there."""
    return _page(company, target, EMPTY)


@pages.post("/settings/<company>/targets/<target>")
def change(company: str, target: str) -> Response:
    """What `do` says: change, password (a new one, shown in the answer), provision (a link, too), delete."""

    def act() -> str | Response:
        with changing(company) as (session, owner, by):
            found = owned.find(session, Target, owner.id, row_id(target))
            if text("do") == "delete":
                targets.delete(session, by, found)
                return f"/settings/{company}/targets?saved"
            if text("do") == "change":
                targets.change(session, by, found, _wish(found))
                return f"/settings/{company}/targets/{target}?saved"
            if text("do") == "provision":
                token = provisioning.make_link(session, by, found, _hours())
                if text("renew"):
                    targets.new_password(session, by, found)
                link = provisioning.address_of(house().settings, token)
                return make_response(_page(company, target, EMPTY, link=link))
            if text("do") != "password":
                raise Rejected("target.do", "The form does not say what to do", "Use the page's buttons")
            made = targets.new_password(session, by, found)
        return make_response(_page(company, target, EMPTY, password=made))

    return attempt(act, lambda form: _page(company, target, form), FIELDS)


def _wish(target: Target) -> targets.Wish:
    """What the form has of what this kind of target has."""
    known = targets.CHANGEABLE[target.kind]
    words = {name: text(name) for name in ("caller_id", "srtp") if name in known}
    ticked = {name: bool(text(name)) for name in ("tls_verify", "tells_source", "whispers") if name in known}
    return targets.Wish(**words, **ticked)  # type: ignore[arg-type]


def _hours() -> int:
    problem = Rejected(
        "provision.hours", "A link cannot live %(hours)s hours", "Give 1 to %(most)s",
        hours=text("hours")[:20], most=provisioning.MOST_HOURS,
    )  # fmt: skip
    return whole("hours", problem) if text("hours") else provisioning.HOURS


def _place(session: Session) -> targets.Place:
    """The place that the form describes."""
    kind, caller_id = text("kind"), text("caller_id")
    if kind == TargetKind.PHONE:
        return targets.Phone(text("username") or None, text("srtp") or "optional")
    if kind == TargetKind.OUTSIDE:
        country = text("country") or None
        return targets.Outside(text("number"), _trunk(session), country, caller_id or "own")
    if kind == TargetKind.EXTENSION:
        return targets.Extension(text("dial"))
    if kind != TargetKind.PEER:
        raise Rejected("target.kind", "The form does not say what rings", "Choose one of the kinds")
    port = Rejected(
        "target.port", "%(text)r is no port", "Give a whole number from 1 to 65535", text=text("port")[:20]
    )
    return targets.Peer(
        text("host"),
        whole("port", port) if text("port") else None,
        text("transport") or "udp",
        text("dial") or None,
        caller_id or "caller",
        login=text("login") or None,
        login_password=request.form.get("login_password") or None,
        srtp=text("srtp") or "off",
        tells_source=bool(text("tells_source")),
    )


def _trunk(session: Session) -> Trunk:
    found = session.get(Trunk, row_id(text("trunk")))
    if found is None or found.retired_at is not None:
        raise Rejected("target.trunk", "No trunk is chosen", "Choose the carrier to dial the number over")
    return found


def _add(company: str, form: Form) -> str:
    kind = form.value("kind", request.args.get("kind", ""))
    with reading(company) as (session, owner):
        known = [(each.id, each.name) for each in trunks.everyone(session) if each.retired_at is None]
        more: dict[str, Any] = {
            "kind": kind if kind in set(TargetKind) else TargetKind.PEER.value,
            "trunks": known,
        }
        more |= {"CALLER_IDS": CALLER_IDS, "SRTP": SRTP}
        return show(session, owner, "target_add.html", form=form, KINDS=KINDS, **more)


def _page(company: str, target: str, form: Form, password: str | None = None, link: str | None = None) -> str:
    with reading(company) as (session, owner):
        found = owned.find(session, Target, owner.id, row_id(target))
        return show(
            session,
            owner,
            "target.html",
            form=form,
            target=found,
            password=password,
            link=link,
            qr=qr(f"{link}/linphone.xml") if link else None,
            reach=reach_of(found, applying.endpoints(session)),
            scopes=_scopes(session, owner, found),
            settings=house().settings,
            changeable=targets.CHANGEABLE[found.kind],
            KINDS=KINDS,
            CALLER_IDS=CALLER_IDS,
            SRTP=SRTP,
        )


def _scopes(session: Session, owner: Company, target: Target) -> list[str]:
    """Whose callers are forwarded there, and in which plans it rings."""
    scopes = scopes_of(session, owner)
    planned = [gettext("plan %(name)s", name=name) for name in plan_list.using(session, target)]
    return [scope.name for scope in scopes if target.id in {it.id for it, _ in scope.rings}] + planned
