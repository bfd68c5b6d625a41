"""`leaseline calls`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commands.call_options import filter_of, filter_options
from commands.context import changing, company_option, here, json_option, reading
from commands.printing import clock, print_json, print_rows

if TYPE_CHECKING:
    from tracker.models import Call

COLUMNS = (
    "started", "outcome", "number", "source", "caller", "wait", "talk", "recording", "category", "key"
)  # fmt: skip


@click.group("calls")
def calls_group() -> None:
    """Calls: what rang, who called, how it ended.

    \b
    Examples:
      leaseline calls list
      leaseline calls follow
    """


@calls_group.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many at most.")
@click.option("--before", help="The `next` of the page before.")
@filter_options
@company_option
@json_option
def list_command(
    limit: int, before: str | None, company: str | None, as_json: bool, **wanted: tuple[str, ...]
) -> None:
    """List calls, newest first: all, or those that are everything you ask for.

    \b
    Examples:
      leaseline calls list --limit 20
      leaseline calls list --period 7d --outcome missed --outcome gave-up
      leaseline calls list --category none --json
    """
    from tracker import calls

    with reading(company) as (session, owner):
        by = filter_of(wanted, ZoneInfo(owner.timezone), here().now)
        page = calls.list_calls(session, [owner.id], before, limit, by)
        if as_json:
            print_json({"calls": [calls.describe(call) for call in page.calls], "next": page.next})
            return
        rows = [_row(call, ZoneInfo(owner.timezone)) for call in page.calls]
    print_rows(
        rows,
        COLUMNS,
        as_json=False,
        empty="No call is all of this" if any(wanted.values()) else "No call yet",
    )
    if page.next:
        click.echo(f"More: leaseline calls list --before {page.next}", err=True)


@calls_group.command("show")
@click.argument("key")
@company_option
@json_option
def show(key: str, company: str | None, as_json: bool) -> None:
    """Show one call: its source and how sure that is, the visitor's journey, what was written down.

    \b
    Example:
      leaseline calls show 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b
    """
    from commands.journey import call_lines
    from tracker import calls, recovery, worth

    with reading(company) as (session, owner):
        story = calls.get_call(session, [owner.id], key)
        said = worth.read_worth(session, story.call)
        if as_json:
            told = calls.describe_story(story)
            became = recovery.describe_call(session, story.call)
            print_json({**told.pop("call"), **told, **worth.describe_worth(said), **became})
            return
        lines = call_lines(story, said, ZoneInfo(owner.timezone), owner.default_region)
    click.echo("\n".join(lines))


@calls_group.command("judge")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    required=True,
    help="Calls from this instant on, UTC.",
)
@company_option
@json_option
def judge_command(since: datetime, company: str | None, as_json: bool) -> None:
    """Attribute calls again, by what has been learned since; what a person typed stays.

    \b
    Example:
      leaseline calls judge --since 2026-11-01
    """
    from tracker import judge

    with changing(company) as (session, owner, _):
        again = judge.rejudge(session, owner.id, since.replace(tzinfo=UTC))
    while judge.judge_pending(here().database, here().now):
        pass
    if as_json:
        print_json({"judged": again})
    else:
        click.echo(f"Judged {again} calls again")


@calls_group.command("follow")
@company_option
@json_option
def follow(company: str | None, as_json: bool) -> None:
    """Print calls as they arrive, ring, are answered and end, until Ctrl-C.

    \b
    Examples:
      leaseline calls follow
      leaseline calls follow --json | jq .state
    """
    for change in _changes(company):
        if as_json:
            click.echo(json.dumps(change, ensure_ascii=False))
        else:
            number, caller = change["number"] or "-", change["caller"] or "-"
            click.echo(f"{change['at']}  {change['state']:9}  {number:16}  {caller:16}  {change['key']}")


def _changes(company: str | None, every_seconds: float = 0.5) -> Iterator[dict[str, Any]]:
    """Each call's states in order, endlessly: what the nodes say is up, then how it ended from the books."""
    from tracker import calls, live

    known: dict[str, str] = {}
    while True:
        with reading(company) as (session, owner):
            up = live.live_calls(session, [owner.id])
            now = {each.call: each for each in up}
            gone = [key for key in known if key not in now]
            ended = calls.calls_by_key(session, [owner.id], gone)
            for key, call in ended.items():
                if call.ended_at is not None:
                    known.pop(key)
                    yield _change(
                        key,
                        call.outcome.value if call.outcome else "ended",
                        call.number.e164,
                        calls.shown_caller(call),
                    )
        for key, each in now.items():
            if known.get(key) != each.state:
                known[key] = each.state
                yield _change(key, each.state, each.did, each.caller)
        time.sleep(every_seconds)


def _change(key: str, state: str, number: str | None, caller: str | None) -> dict[str, Any]:
    return {
        "at": here().now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "key": key,
        "state": state,
        "number": number,
        "caller": caller,
    }


def _row(call: Call, zone: ZoneInfo) -> dict[str, Any]:
    from tracker import calls

    source = calls.source_of(call)
    state = calls.recording_state(call)
    withheld = call.presentation.value if calls.shown_caller(call) is None else None
    return {
        "started": call.started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        "outcome": call.outcome.value if call.outcome else "going on",
        "number": call.number.e164,
        "source": source and ((source.channel or source.source) + (" ?" if call.uncertain else "")),
        "caller": withheld or calls.shown_caller(call),
        "wait": clock(call.wait_seconds),
        "talk": clock(call.talk_seconds),
        "recording": state.value if state else None,
        "category": call.category and call.category.value,
        "key": call.key,
    }
