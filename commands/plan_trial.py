"""`leaseline plan test` and `forget`: trials of a plan, and those that are kept beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Company
    from tracker.plan_cases import Result
    from tracker.policy.plan_cases import Case
    from tracker.policy.plan_trial import Trial


def trial_options(command: Any) -> Any:
    """When the call comes and what everybody does."""
    options = (
        click.option(
            "--at",
            metavar="TIME",
            help="When the call comes, by the company's clocks: 2026-12-01 09:30; else now.",
        ),
        click.option(
            "--target",
            "targets",
            multiple=True,
            metavar="TARGET=WHAT[:SECONDS]",
            help="What a target does: answers, busy, declines, unreachable, does not answer. Several for one "
            "target: one call after the other.",
        ),
        click.option(
            "--key", "keys", multiple=True, metavar="KEYS", help="What the caller presses, prompt by prompt."
        ),
        click.option("--known", multiple=True, metavar="WHAT=WORD", help="source=google, caller=repeat …"),
        click.option("--away", is_flag=True, help="Leaseline does not answer: nothing is known of the call."),
        click.option("--last", metavar="TARGET", help="Who spoke with this caller last."),
        click.option("--responsible", metavar="TARGET", help="Who is responsible for this caller."),
        click.option(
            "--visitor",
            is_flag=True,
            help="The caller is a website's visitor, to whom a number of his own is shown.",
        ),
        click.option("--gives-up", type=float, metavar="SECONDS", help="The caller hangs up after so long."),
        click.option("--taken", multiple=True, metavar="TARGET=CALLS", help="Calls a target has already."),
        click.option("--listens", type=float, metavar="SECONDS", help="How long each prompt lasts."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def case_from(told: dict[str, Any], now: datetime) -> Case | None:
    """The trial; None when nothing at all is told. Raises UsageError, Rejected plan.script."""
    from tracker.policy.plan_cases import read_case

    if not any(told.values()):
        return None
    targets: dict[str, list[str]] = {}
    for name, what in _pairs(told["targets"], "--target"):
        targets.setdefault(name, []).append(what)
    document: dict[str, Any] = {
        "at": told["at"] or now.isoformat(),
        "targets": targets,
        "keys": list(told["keys"]),
        "known": None if told["away"] else dict(_pairs(told["known"], "--known")),
        "taken": {name: _whole(count) for name, count in _pairs(told["taken"], "--taken")},
        "last": told["last"],
        "responsible": told["responsible"],
        "visitor": told["visitor"],
        "gives_up": told["gives_up"],
        "listens": told["listens"] or 0.0,
    }
    return read_case(document)


def _pairs(given: Iterable[str], option: str) -> Iterable[tuple[str, str]]:
    for each in given:
        name, equals, what = each.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {each!r}: give it as NAME=…")
        yield name.strip(), what.strip()


def _need_targets(session: Session, owner: Company, told: dict[str, Any]) -> None:
    """A name that was mistyped would do nothing in the trial. Raises Rejected target.unknown."""
    from tracker import targets

    options = (("--target", told["targets"]), ("--taken", told["taken"]))
    names = [name for option, given in options for name, _ in _pairs(given, option)]
    for name in (*names, *(told[one] for one in ("last", "responsible") if told[one])):
        targets.get(session, owner, name)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise click.UsageError(f"--taken: {text!r} is no number of calls")
    return int(text)


@click.command("test")
@click.argument("name")
@trial_options
@click.option("--keep", metavar="TRIAL", help="Keep it beside the plan: it is run again on every change.")
@company_option
@json_option
def test(name: str, keep: str | None, company: str | None, as_json: bool, **told: Any) -> None:
    """Try a plan out before it rings: a call by a virtual clock, step by step with times.

    Without any option the trials that are kept beside the plan are run; exit status 1 if one goes another
    way than it did.

    \b
    Examples:
      leaseline plan test office --at "2026-12-01 09:30" --target Reception=busy:2 --target Mobile=answers:5
      leaseline plan test office --at "2026-12-24 15:00" --keep "Christmas Eve"
      leaseline plan test office --key 2 --known source=google
      leaseline plan test office
    """
    from tracker import plan_cases, plan_list

    case = case_from(told, here().now)
    if case is None and keep is None:
        with reading(company) as (session, owner):
            found = plan_cases.results(session, plan_list.get(session, owner, name))
        _print_results(name, found, as_json=as_json)
        return
    with changing(company) as (session, owner, by):
        plan = plan_list.get(session, owner, name)
        _need_targets(session, owner, told)
        case = case or case_from({**told, "at": here().now.isoformat()}, here().now)
        if case is None:
            raise click.UsageError("Say when the call comes: --at")
        if keep:
            trial = plan_cases.keep(session, by, plan, keep, case).trial
        else:
            trial = plan_cases.try_out(session, plan, case)
    _print_trial(trial, as_json=as_json)


@click.command("forget")
@click.argument("name")
@click.argument("trial")
@company_option
def forget(name: str, trial: str, company: str | None) -> None:
    """Forget a trial that is kept beside a plan.

    \b
    Example:
      leaseline plan forget office "Christmas Eve"
    """
    from tracker import plan_cases, plan_list

    with changing(company) as (session, owner, by):
        plan_cases.forget(session, by, plan_list.get(session, owner, name), trial)
    click.echo(f"Trial {trial} is forgotten.")


def _print_trial(trial: Trial, *, as_json: bool) -> None:
    from dataclasses import asdict

    from tracker.policy.plan_cases import told

    if as_json:
        print_json([asdict(event) for event in trial.events])
        return
    for event in trial.events:
        click.echo(f"{event.seconds:8.1f} s  {told(event)}")


def _print_results(name: str, found: list[Result], *, as_json: bool) -> None:
    from tracker.policy.plan_cases import way

    rows = [{"trial": each.name, "as_expected": each.as_expected, "way": way(each.trial)} for each in found]
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo(f"No trial is kept: `leaseline plan test {name!r} --at … --keep NAME`")
    for each in [] if as_json else found:
        click.echo(f"{'as before' if each.as_expected else 'ANOTHER WAY':<12} {each.name}")
        if not each.as_expected:
            click.echo("\n".join(f"    was: {line}" for line in each.expected))
            click.echo("\n".join(f"    now: {line}" for line in way(each.trial)))
    if not all(each.as_expected for each in found):
        raise SystemExit(1)
