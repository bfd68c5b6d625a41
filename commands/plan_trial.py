"""What a trial of a plan is told on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tracker.policy.plan_cases import Case


def trial_options(command: Any) -> Any:
    """When the call comes and what everybody does."""
    for option in (
        click.option(
            "--at", help="When the call comes, by the company's clocks: 2026-12-01 09:30; else now."
        ),
        click.option(
            "--target",
            "targets",
            multiple=True,
            metavar="TARGET=WHAT[:SECONDS]",
            help="What a target does: answers, busy, declines, unreachable, does not answer. Several for one "
            "target: one call after the other.",
        ),
        click.option("--key", "keys", multiple=True, help="What the caller presses, prompt by prompt."),
        click.option("--known", multiple=True, metavar="WHAT=WORD", help="source=google, caller=repeat …"),
        click.option("--away", is_flag=True, help="Leaseline does not answer: nothing is known of the call."),
        click.option("--last", metavar="TARGET", help="Who spoke with this caller last."),
        click.option("--visitor", is_flag=True, help="The caller is a visitor with a number of his own."),
        click.option("--gives-up", type=float, metavar="SECONDS", help="The caller hangs up after so long."),
        click.option("--taken", multiple=True, metavar="TARGET=CALLS", help="Calls a target has already."),
        click.option("--listens", type=float, metavar="SECONDS", help="How long each prompt lasts."),
    ):
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


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise click.UsageError(f"--taken: {text!r} is no number of calls")
    return int(text)
