"""`leaseline consent` and `leaseline unrecorded`: who is told of the recording, who is never recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commands.context import changing, company_option, hint_if_not_live, json_option, reading
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Company, Number


@click.group("consent")
def consent_group() -> None:
    """What callers are told and asked before they are recorded.

    \b
    Examples:
      leaseline prompt add consent --words "This call is recorded. Press 9 if you object."
      leaseline consent set consent --mode refusable --key 9
    """


@consent_group.command("set")
@click.argument("prompt")
@click.option(
    "--mode", type=click.Choice(["tell", "refusable", "required"]), default="tell", show_default=True,
    help="tell: say it and record; refusable: unless the key is pressed; required: only if it is.",
)  # fmt: skip
@click.option("--key", help="The key that refuses, or agrees: one of 0 to 9 or *.")
@click.option("--number", help="Only for this number; default: for all that have nothing of their own.")
@company_option
@json_option
def set_command(prompt: str, company: str | None, as_json: bool, **given: str | None) -> None:
    """Say PROMPT before calls are recorded.

    \b
    Examples:
      leaseline consent set consent --mode tell
      leaseline consent set consent --mode required --key 1 --number +74951234567
    """
    from tracker import consents, prompts

    with changing(company) as (session, owner, by):
        found = prompts.get(session, owner, prompt)
        number = _number(session, owner, given["number"])
        mode, key = given["mode"] or "", given["key"]
        consent = consents.set_consent(session, by, owner, found, mode, key=key, number=number)
        thing = consents.describe(consent)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@consent_group.command("show")
@company_option
@json_option
def show(company: str | None, as_json: bool) -> None:
    """Show what is said, where.

    \b
    Example:
      leaseline consent show
    """
    from tracker import consents

    with reading(company) as (session, owner):
        rows = [consents.describe(each) for each in consents.of_company(session, owner)]
    empty = "Callers are told nothing: `leaseline consent set`"
    print_rows(rows, ("number", "mode", "prompt", "key"), as_json=as_json, empty=empty)


@consent_group.command("clear")
@click.option("--number", help="Of this number; default: what counts for the others.")
@company_option
def clear(number: str | None, company: str | None) -> None:
    """Say nothing any more.

    \b
    Example:
      leaseline consent clear
    """
    from tracker import consents

    with changing(company) as (session, owner, by):
        consents.clear(session, by, owner, _number(session, owner, number))
    click.echo("Callers are told nothing any more.")
    hint_if_not_live()


@click.group("unrecorded")
def unrecorded_group() -> None:
    """Callers who are never recorded.

    \b
    Example:
      leaseline unrecorded add "+7 916 000-00-01"
    """


@unrecorded_group.command("add")
@click.argument("caller")
@company_option
@json_option
def add(caller: str, company: str | None, as_json: bool) -> None:
    """Never record a caller again.

    \b
    Example:
      leaseline unrecorded add "+7 916 000-00-01"
    """
    from tracker import unrecorded

    with changing(company) as (session, owner, by):
        thing = unrecorded.describe(unrecorded.add(session, by, owner, caller))
    print_thing(thing, as_json=as_json)


@unrecorded_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List callers who are never recorded, and who wished it: caller, employee, person.

    \b
    Example:
      leaseline unrecorded list
    """
    from tracker import unrecorded

    with reading(company) as (session, owner):
        rows = [unrecorded.describe(each) for each in unrecorded.of_company(session, owner)]
    columns = ("caller", "since_at", "wish")
    print_rows(
        rows,
        columns,
        as_json=as_json,
        empty="Every caller may be recorded: `leaseline unrecorded add NUMBER` for one who must not be",
    )


@unrecorded_group.command("remove")
@click.argument("caller")
@company_option
def remove(caller: str, company: str | None) -> None:
    """Record a caller again, as others are.

    \b
    Example:
      leaseline unrecorded remove "+7 916 000-00-01"
    """
    from tracker import unrecorded

    with changing(company) as (session, owner, by):
        unrecorded.remove(session, by, owner, caller)
    click.echo(f"{caller} is recorded again.")


def _number(session: Session, owner: Company, text: str | None) -> Number | None:
    from tracker import numbers

    return numbers.get(session, owner, text) if text else None
