"""`leaseline delivery`: where calls went, and why not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Company, Delivery


@click.group("delivery")
def delivery_group() -> None:
    """Deliveries of calls to destinations: where each went, and if not, why not.

    \b
    Examples:
      leaseline delivery list --call 20261130T101500-3f2a
      leaseline delivery list --to shop --state failed
      leaseline delivery replay shop --since 2026-11-27
      leaseline delivery google-csv --conversion "Phone call" --since 2026-11-01
    """


@delivery_group.command("list")
@click.option("--call", "key", metavar="KEY", help="Of one call.")
@click.option("--to", "name", metavar="NAME", help="To one destination.")
@click.option(
    "--state", type=click.Choice(["waiting", "sent", "not_sent", "failed"]), help="In one state only."
)
@click.option("--limit", type=click.IntRange(1, 5000), default=100, show_default=True, help="How many.")
@company_option
@json_option
def list_command(
    *, key: str | None, name: str | None, state: str | None, limit: int, company: str | None, as_json: bool
) -> None:
    """List deliveries, the newest first.

    \b
    Examples:
      leaseline delivery list
      leaseline delivery list --to shop --state failed
    """
    from tracker import deliveries, destination_list

    with reading(company) as (session, owner):
        to = destination_list.find(session, owner, name) if name else None
        found = deliveries.list_deliveries(
            session, [owner.id], deliveries.Asked(key, to.id if to else None, state), limit
        )
        rows = [deliveries.describe(each) if as_json else _row(each, here().now) for each in found]
        others = _untold(session, owner, key, {each.destination_id for each in found}) if key else []
    columns = ("id", "created_at", "call", "destination", "event", "state", "because", "tries", "due_at")
    print_rows(rows, columns, as_json=as_json, empty="No such delivery")
    if not as_json:
        for other, because in others if to is None else ():
            click.echo(f"{other} was not told: {because}")


def _row(it: Delivery, now: datetime) -> dict[str, Any]:
    """A delivery, and in words why it stands as it does."""
    from tracker import deliveries
    from tracker.whereabouts import waits_for
    from web.destination_words import WAITS_FOR, WHYS

    waits = waits_for(it, now)
    said = [WHYS[it.why]] if it.why else [WAITS_FOR[waits]] if waits else []
    because = " · ".join(str(each) for each in [*said, it.answer] if each)
    return deliveries.describe(it) | {"because": because or None}


def _untold(session: Session, owner: Company, key: str, told: set[int]) -> list[tuple[str, str]]:
    """The destinations that have no delivery of a call, and why."""
    import sqlalchemy as sa

    from tracker.models import Call
    from tracker.whereabouts import untold
    from web.destination_words import UNTOLD

    call = session.scalar(sa.select(Call).where(Call.company_id == owner.id, Call.key == key))
    return [(it.name, str(UNTOLD[why])) for it, why in untold(session, call, told)] if call else []


@delivery_group.command("replay")
@click.argument("name")
@click.option("--id", "ids", type=int, multiple=True, help="One delivery; may be repeated.")
@click.option("--since", metavar="DAY", help="Of facts from this day or instant (ISO 8601) on.")
@click.option("--until", metavar="DAY", help="Of facts before this day or instant.")
@click.option("--all", "everything", is_flag=True, help="Also what was taken already: it arrives twice.")
@company_option
def replay(
    *, name: str, ids: tuple[int, ...], since: str | None, until: str | None, everything: bool,
    company: str | None,
) -> None:  # fmt: skip
    """Send again what was given up: one delivery, or those of a period.

    \b
    Examples:
      leaseline delivery replay shop --id 4711
      leaseline delivery replay shop --since 2026-11-27
    """
    from tracker import deliveries, destination_list

    chosen: dict[str, Any] = {"since": _instant(since), "until": _instant(until), "ids": ids}
    with changing(company) as (session, owner, by):
        to = destination_list.find(session, owner, name)
        count = deliveries.replay(session, by, to, everything=everything, **chosen)
    if count:
        click.echo(f"Sent to {name} again: {count}.")
    else:
        click.echo(f"Nothing of that was given up by {name}; --all sends what it took, too.")


@delivery_group.command("google-csv")
@click.option("--conversion", required=True, metavar="NAME", help="The conversion action's name there.")
@click.option("--since", required=True, metavar="DAY", help="Calls from this day or instant (ISO 8601) on.")
@click.option("--until", metavar="DAY", help="Calls before this day or instant; default: now.")
@click.option(
    "--category", "categories", type=click.Choice(["target", "service", "non_target"]), multiple=True,
    default=("target",), show_default=True, help="A category that counts; may be repeated."
)  # fmt: skip
@click.option(
    "--unjudged", type=click.Choice(["answered", "all", "none"]), default="none", show_default=True,
    help="Which calls count that have no category."
)  # fmt: skip
@company_option
def google_csv(
    *, conversion: str, since: str, until: str | None, categories: tuple[str, ...], unjudged: str,
    company: str | None,
) -> None:  # fmt: skip
    """Print calls of clicks on ads as CSV in Google Ads' template for conversions, to import by hand.

    \b
    Example:
      leaseline delivery google-csv --conversion "Phone call" --since 2026-11-01 > conversions.csv
    """
    from tracker import google_csv

    begin, end = _instant(since), _instant(until) or here().now
    if begin is None:
        raise click.UsageError("Give --since")
    options = {"categories": ",".join(categories), "unjudged": unjudged}
    with reading(company) as (session, owner):
        for line in google_csv.lines(session, owner, (begin, end), conversion, options):
            click.echo(line, nl=False)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is no day: give 2026-11-27 or 2026-11-27T08:00+01:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
