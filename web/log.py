"""The audit log as owners and admins read it: narrowed to a person, a kind, a period; and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext, lazy_gettext

from tracker import audit_log
from tracker.audit_log import Kind, Wanted
from tracker.errors import Rejected
from tracker.models import AuditEntry
from tracker.policy.addresses import clean
from tracker.policy.call_filter import read_filter
from web.house import house, row_id
from web.people import administered
from web.viewer import hand, viewer

pages = Blueprint("log", __name__)

ENTRIES = 100  # a page
NAMES = ("actor", "kind", "period", "since", "until")
KINDS = {
    Kind.LISTENING: lazy_gettext("Listening and downloads"),
    Kind.EXPORT: lazy_gettext("Exports"),
    Kind.JUDGEMENT: lazy_gettext("What calls were worth"),
    Kind.LOGIN: lazy_gettext("Log-ins"),
    Kind.PEOPLE: lazy_gettext("People and accounts"),
    Kind.SETTINGS: lazy_gettext("Settings"),
}
REASONS = {
    "password": lazy_gettext("wrong password"),
    "code": lazy_gettext("wrong code"),
    "disabled": lazy_gettext("disabled user"),
    "revoked": lazy_gettext("revoked key"),
}


@pages.get("/audit")
def index() -> str:
    """Who did what in the companies that one administers, newest first; a filter in the address."""
    before, wanted = request.args.get("before"), _asked()
    ids = [company.id for company in administered()]
    with house().database.read() as session:
        found = audit_log.read_log(
            session, ids, wanted, limit=ENTRIES + 1, before=row_id(before) if before else None
        )
    return render_template(
        "audit.html", entries=found[:ENTRIES], more=len(found) > ENTRIES, kinds=KINDS, query=_query,
        narrowed=bool(_query()), before=before, detail_words=detail_words,
    )  # fmt: skip


@pages.get("/audit.csv")
def as_csv() -> Response:
    """All entries of the filter as CSV; that is written down in its turn."""
    wanted, exporter, database = _asked(), hand(), house().database
    ids = [company.id for company in administered()]
    with database.write() as session:
        for company_id in ids:
            exporter.note(session, "audit.export", company_id, detail={"filter": _query()})

    def lines() -> Iterator[str]:  # runs when the request is over
        with database.read() as session:
            yield from audit_log.csv_lines(session, ids, wanted)

    response = Response(lines(), mimetype="text/csv")
    name = f"audit-{exporter.at.astimezone(viewer().zone):%Y-%m-%d-%H%M}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def detail_words(entry: AuditEntry) -> list[str]:
    """What more is known, a piece each."""
    if entry.action in {"login.refused", "key.refused"} and entry.detail.get("reason") in REASONS:
        return [str(REASONS[entry.detail["reason"]])]
    return [
        _pair(str(name), value) for name, value in entry.detail.items() if value not in ("", None, [], {})
    ]


def _pair(name: str, value: object) -> str:
    if isinstance(value, bool):
        value = gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return f"{name.replace('_', ' ')}: {value}"


def _asked() -> Wanted:
    """The filter in this request's address. Raises Rejected `filter.malformed`."""
    zone = viewer().zone
    days = {name: request.args.getlist(name) for name in ("period", "since", "until")}
    by = read_filter(days, zone, house().clock().astimezone(zone).date())
    word = request.args.get("kind") or None
    if word is not None and word not in set(Kind):
        raise Rejected(
            "filter.malformed", "kind is %(word)r", "Give %(kinds)s", word=word[:20], kinds=list(Kind)
        )
    actor = clean(request.args.get("actor"), 200) or None
    return Wanted(actor, Kind(word) if word else None, by.since, by.until)


def _query(**more: str) -> str:
    """The filter as the end of an address, with `more` added; "" when it asks for nothing."""
    pairs = [(name, value) for name in NAMES if (value := request.args.get(name, "").strip())]
    pairs += more.items()
    return "?" + urlencode(pairs) if pairs else ""
