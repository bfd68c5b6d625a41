"""`leaseline pool advise`: how many numbers a pool needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import click

from commands.context import company_option, here, json_option, reading
from commands.printing import print_json, table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.advice import Advice, Option
    from tracker.models import Company, Pool


class Expected(TypedDict):
    """What `plan` is told in place of visits."""

    visitors_per_hour: float
    minutes: float
    target: float


DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@click.command("advise")
@click.argument("name", required=False)
@click.option(
    "--visitors-per-hour", type=float, metavar="N", help="Expected in the busiest hour; needs --minutes."
)
@click.option("--minutes", type=float, metavar="M", help="Minutes an expected visitor stays.")
@click.option(
    "--hold-seconds", type=int, help="Another hold time than the pool's (300 where there is no pool)."
)
@click.option(
    "--target", default="1%", show_default=True, metavar="SHARE", help="Visitors who may go without a number."
)
@company_option
@json_option
def advise_command(
    name: str | None, target: str, company: str | None, as_json: bool, **expected: Any
) -> None:
    """Say how many numbers a pool needs, from its own visits or from what is expected.

    \b
    Examples:
      leaseline pool advise --visitors-per-hour 100 --minutes 3
      leaseline pool advise Website
      leaseline pool advise Website --target 0.1% --hold-seconds 150

    OWN NUMBER: visitors with a number of their own. CALLS IN TIME: calls to be expected before the number is
    another visitor's; of the later ones the caller's history saves some, the others are marked uncertain.
    HELD: both at other hold times.
    """
    from tracker.advice import advise
    from tracker.advice_words import described, sentence

    share, hold = _share(target), expected["hold_seconds"]
    visitors, minutes = expected["visitors_per_hour"], expected["minutes"]
    if (visitors is None) != (minutes is None):
        raise click.UsageError("--visitors-per-hour and --minutes go together")
    if visitors is not None:
        given: Expected = {"visitors_per_hour": visitors, "minutes": minutes, "target": share}
        advice = _plan(name, company, hold, given)
    else:
        with reading(company) as (session, owner):
            pool = _pool(session, owner, name)
            advice = advise(session, owner, pool, here().now, target=share, hold_seconds=hold)
    if as_json:
        print_json(described(advice))
    else:
        click.echo("\n".join([*_heading(advice), "", _table(advice), "", sentence(advice)]))


def _plan(name: str | None, company: str | None, hold: int | None, expected: Expected) -> Advice:
    """Works without a company, a pool, even without a database, unless a pool is named."""
    from tracker.advice import model_of, plan
    from tracker.pools import get_pool, standing

    if name is None:
        return plan(**expected, hold_seconds=300 if hold is None else hold)
    with reading(company) as (session, owner):
        pool = get_pool(session, owner, name)
        return plan(
            **expected,
            hold_seconds=pool.hold_seconds if hold is None else hold,
            numbers=standing(session, pool, here().now).numbers,
            model=model_of(session, owner),
        )


def _pool(session: Session, owner: Company, name: str | None) -> Pool:
    """The pool meant: by its name, or the only one there is."""
    from tracker.errors import Rejected
    from tracker.pools import get_pool, pools_of

    if name is not None:
        return get_pool(session, owner, name)
    found = pools_of(session, owner)
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in found)
    raise Rejected(
        "pool.which",
        f"There are several pools ({names})" if found else "There is no pool yet",
        "Name one" if found else "Say what is expected: --visitors-per-hour N --minutes M",
    )


def _share(text: str) -> float:
    """ "1%", "0.1 %" or "0.01"."""
    try:
        return float(text.rstrip("% ")) / (100 if "%" in text else 1)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no share: give one such as 1%", param_hint="--target"
        ) from None


def _heading(advice: Advice) -> list[str]:
    from tracker.advice_words import numbers_in_words, seen

    held = f"held {advice.hold_seconds} s after leaving"
    if advice.basis is None:
        return [f"Expected: {advice.load:.1f} numbers busy on average, each {held}."]
    basis, hour = advice.basis, advice.basis.busiest
    return [
        f"{numbers_in_words(advice.numbers or 0)} now, {held}; {seen(basis)}.",
        f"Busiest: {DAYS[hour.weekday]} from {hour.hour}:00, {hour.visits:.1f} visits,"
        f" {hour.load:.1f} numbers busy on average.",
    ]


def _table(advice: Advice) -> str:
    """A line a size: what it does at the hold time asked for, and the same in short at others."""
    others = sorted({each.hold_seconds for each in advice.options} - {advice.hold_seconds})
    titles = ["NUMBERS", "OWN NUMBER", "CALLS IN TIME"]
    if advice.basis is not None:
        titles += ["WITHOUT A DAY", "BUSIEST HOUR"]
    titles += [f"HELD {hold} S" for hold in others]
    rows = [
        dict(zip(titles, _cells(advice, option, others), strict=True))
        for option in advice.options
        if option.hold_seconds == advice.hold_seconds
    ]
    return table(titles, rows, titles)


def _cells(advice: Advice, option: Option, others: list[int]) -> list[str]:
    from tracker.advice_words import percent

    mark = " now" if option.numbers == advice.numbers else ""
    cells = [f"{option.numbers}{mark}", percent(option.own), percent(option.in_time)]
    if advice.basis is not None:
        cells += [f"{option.without_a_day:.1f}", percent(option.own_when_busiest)]
    for hold in others:
        other = advice.option(option.numbers, hold)
        cells.append(f"{percent(other.own)} / {percent(other.in_time)}" if other else "-")
    return cells
