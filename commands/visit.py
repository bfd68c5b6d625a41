"""`leaseline visit`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commands.context import changing, company_option, json_option, reading
from commands.printing import print_csv, print_json, print_rows, print_thing

if TYPE_CHECKING:
    from tracker.visit_list import ListedVisit

COLUMNS = ("started", "site", "source", "campaign", "keyword", "device", "pages", "shown", "calls", "id")
PAIRS = ("click_ids", "parameters")
WHATS = ("visits", "pages", "events", "leases")


@click.group("visit")
def visit_group() -> None:
    """Visits of a website: where each came from, what it was shown, who called.

    \b
    Examples:
      leaseline visit list
      leaseline visit show 4711
    """


@visit_group.command("list")
@click.option("--site", help="Of this site only.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many at most.")
@company_option
@json_option
def list_command(site: str | None, limit: int, company: str | None, as_json: bool) -> None:
    """List visits, newest first.

    \b
    Examples:
      leaseline visit list --site shop.example --limit 20
      leaseline visit list --json
    """
    from tracker import sites, visit_list

    with reading(company) as (session, owner):
        name = sites.get(session, owner, site).name if site else None
        found = visit_list.list_visits(session, [owner.id], site=name, limit=limit).visits
        if as_json:
            print_json([visit_list.describe(each) for each in found])
            return
        rows = [_row(each, ZoneInfo(owner.timezone)) for each in found]
    print_rows(rows, COLUMNS, as_json=False, empty="No visit yet: is the script on the pages?")


@visit_group.command("show")
@click.argument("id", type=click.IntRange(1, 2**62))
@company_option
@json_option
def show(id: int, company: str | None, as_json: bool) -> None:  # noqa: A002  (the argument's name in the help)
    """Show one visit: pages with times, clicks, numbers shown, the visitor's other visits and calls.

    \b
    Example:
      leaseline visit show 4711
    """
    from commands.context import here
    from tracker.errors import Rejected
    from tracker.history import describe, get_history

    with reading(company) as (session, owner):
        try:
            history = get_history(session, [owner.id], id, here().now)
        except Rejected as no:
            raise Rejected(no.id, no.message, "See those there are: `leaseline visit list`") from None
        thing = describe(history)
    if as_json:
        print_json(thing)
        return
    print_thing({**thing, **_in_short(thing)}, as_json=False)


@visit_group.command("export")
@click.argument("what", type=click.Choice(WHATS))
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="From this instant on, UTC."
)
@company_option
@json_option
def export(what: str, since: datetime | None, company: str | None, as_json: bool) -> None:
    """Print every visit, page, event or lease there is: CSV, or with --json one object a line.

    \b
    Examples:
      leaseline visit export visits > visits.csv
      leaseline visit export leases --since 2026-11-01 --json | jq .number
    """
    from tracker import visit_list

    with changing(company) as (session, owner, by):
        by.note(session, "visit.export", owner.id, subject=what)
    with reading(company) as (session, owner):
        rows = visit_list.export(session, owner.id, what, since.replace(tzinfo=UTC) if since else None)
        if as_json:
            for row in rows:
                click.echo(json.dumps(row, ensure_ascii=False))
        else:
            print_csv(rows)


def _row(listed: ListedVisit, zone: ZoneInfo) -> dict[str, Any]:
    it = listed.visit
    return {
        "started": it.started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        "site": it.site.name,
        "source": f"{it.source} / {it.medium}",
        "campaign": it.campaign,
        "keyword": it.keyword,
        "device": it.device,
        "pages": listed.pages,
        "shown": ", ".join(listed.numbers) or it.missed,
        "calls": listed.calls,
        "id": it.id,
    }


def _in_short(thing: dict[str, Any]) -> dict[str, Any]:
    """Lists of things as lists of lines."""
    touches = thing["touches"] or {}
    return {
        **{name: [f"{key}={value}" for key, value in thing[name].items()] for name in PAIRS},
        "pages": [f"{page['at']} {page['url']}" for page in thing["pages"]],
        "events": [f"{event['at']} {event['kind']}" for event in thing["events"]],
        "leases": [f"{it['shown']} {it['from_at']} to {it['until_at'] or 'now'}" for it in thing["leases"]],
        "visits": [f"{it['started_at']} {it['source']} / {it['medium']}" for it in thing["visits"]],
        "calls": [f"{call['started_at']} {call['number']}" for call in thing["calls"]],
        "touches": [
            f"{name.replace('_', ' ')}: {it['source']} / {it['medium']}" for name, it in touches.items() if it
        ],
    }
