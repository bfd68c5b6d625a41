"""`leaseline block`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from tracker.blocks import Conduct

TREATMENTS = ("busy", "refused", "announced", "challenged")  # tracker.policy.facts.Treatment
COUNTS = {
    "per_minute": "Calls of one caller within a minute, from which on he is suspicious.",
    "per_hour": "The same within an hour.",
    "per_day": "The same within a day.",
    "numbers": "Different numbers of yours that one caller calls within ten minutes.",
    "short_calls": "Calls of one caller within an hour that are over after a few seconds.",
    "short_seconds": "How long a call is that counts as short.",
    "passed_days": "Days in which nobody is challenged twice.",
}


@click.group("block")
def block_group() -> None:
    """Unwanted callers: the block list, and when a caller is challenged.

    \b
    Examples:
      leaseline block add "+7 495 123-45-67" --reason "sells toner"
      leaseline block conduct --challenge
    """


@block_group.command("add")
@click.argument("callers")
@click.option("--allow", is_flag=True, help="Always let them through instead: this wins over every block.")
@click.option("--treatment", type=click.Choice(TREATMENTS), help="What they get; default: the usual one.")
@click.option("--reason", default="", help="Why; people see it beside the rule.")
@click.option("--until", default="", metavar="DAY", help="Last day as 2026-12-31, or days as 30d.")
@company_option
@json_option
def add(callers: str, company: str | None, as_json: bool, **given: Any) -> None:
    """Block CALLERS: a number, the beginning of numbers with a star, or `withheld`.

    \b
    Examples:
      leaseline block add +74951234567 --reason "sells toner" --until 90d
      leaseline block add "+882*" --treatment refused
      leaseline block add withheld --treatment challenged
      leaseline block add "+7812*" --allow
    """
    from tracker import blocks
    from tracker.policy.block_list import read_callers, read_expiry, read_treatment

    with changing(company) as (session, owner, by):
        expires_at = read_expiry(given["until"], ZoneInfo(owner.timezone), by.at)
        wish = blocks.Wish(
            given["allow"], read_treatment(given["treatment"] or ""), given["reason"], expires_at
        )
        rule = blocks.add(session, by, owner, read_callers(callers, owner.default_region), wish)
        thing = blocks.describe(rule, blocks.read_conduct(session, owner.id).treatment)
    print_thing(thing, as_json=as_json)


@block_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List who is blocked and who is always let through, the newest rule first.

    \b
    Example:
      leaseline block list
    """
    from tracker import blocks

    with reading(company) as (session, owner):
        usual = blocks.read_conduct(session, owner.id).treatment
        rows = [blocks.describe(rule, usual) for rule in blocks.of_company(session, owner.id)]
    print_rows(
        rows,
        ("callers", "allowed", "treatment", "reason", "by", "since", "until"),
        as_json=as_json,
        empty="Nobody is blocked: `leaseline block add`",
    )


@block_group.command("remove")
@click.argument("callers")
@company_option
@json_option
def remove(callers: str, company: str | None, as_json: bool) -> None:
    """Take the rule about CALLERS away, as `leaseline block list` names them.

    \b
    Example:
      leaseline block remove "+882*"
    """
    from tracker import blocks
    from tracker.policy.block_list import read_callers

    with changing(company) as (session, owner, by):
        wanted = read_callers(callers, owner.default_region)
        blocks.remove(session, by, blocks.find_about(session, owner.id, wanted))
    print_thing({"removed": wanted.word}, as_json=as_json)


def _counts(command: Any) -> Any:
    for name, words in reversed(COUNTS.items()):
        command = click.option(f"--{name.replace('_', '-')}", type=int, help=words)(command)
    return command


@block_group.command("conduct")
@click.option("--treatment", type=click.Choice(TREATMENTS), help="What blocked callers usually get.")
@click.option("--challenge/--no-challenge", default=None, help="Ask suspicious callers for a digit.")
@_counts
@click.option("--countries", help="From which calls are expected: DE,AT; `any`: from everywhere.")
@company_option
@json_option
def conduct(company: str | None, as_json: bool, **given: Any) -> None:
    """Show or change what blocked callers usually get, and who is suspicious; 0 is not looked at.

    \b
    Examples:
      leaseline block conduct
      leaseline block conduct --challenge --per-minute 3 --countries RU,KZ
    """
    from tracker import blocks

    wish = {name: value for name, value in given.items() if value is not None}
    if not wish:
        with reading(company) as (session, owner):
            found = blocks.read_conduct(session, owner.id)
    else:
        with changing(company) as (session, owner, by):
            found = _changed(blocks.read_conduct(session, owner.id), wish)
            blocks.change_conduct(session, by, owner, found)
            language = owner.language
        _speak(language)
    print_thing(blocks.describe_conduct(found), as_json=as_json)


def _changed(before: Conduct, wish: dict[str, Any]) -> Conduct:
    from dataclasses import replace

    from tracker.policy.block_list import read_countries
    from tracker.policy.facts import Treatment

    more = dict(wish)
    if "challenge" in more:
        more["watches"] = more.pop("challenge")
    if "treatment" in more:
        more["treatment"] = Treatment(more["treatment"])
    if "countries" in more:
        more["countries"] = read_countries(more["countries"])
    return replace(before, **more)


def _speak(language: str) -> None:
    """The words callers will hear are spoken now, and not when the first of them calls."""
    from tracker import guard_sounds

    if problem := guard_sounds.make(here().settings, language):
        click.echo(f"Nobody is challenged here: {problem}", err=True)
