"""`leaseline calls category`, `value`, `tag` and `note`: what a person says of calls, from a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from commands.context import changing, company_option, json_option
from commands.printing import print_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.audit import By
    from tracker.models import Call

Change = Callable[["Session", "By", Sequence["Call"]], int]


@click.command("category")
@click.argument("category", type=click.Choice(["target", "service", "non-target", "none"]))
@click.argument("keys", nargs=-1, required=True)
@company_option
@json_option
def category_command(category: str, keys: tuple[str, ...], company: str | None, as_json: bool) -> None:
    """Say what calls were worth; `none` takes it back. Only people do, never the program.

    \b
    Examples:
      leaseline calls category target 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b
      leaseline calls category none 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b
    """
    from tracker import worth

    _change(
        company, keys, as_json,
        lambda session, by, calls: worth.categorise(session, by, calls, worth.parse_category(category)),
    )  # fmt: skip


@click.command("value")
@click.argument("key")
@click.argument("amount")
@company_option
@json_option
def value_command(key: str, amount: str, company: str | None, as_json: bool) -> None:
    """Say what a call was worth in money, in the company's currency; `none` takes it back.

    \b
    Examples:
      leaseline calls value 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b 1200.50
      leaseline calls value 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b none
    """
    from tracker import worth
    from tracker.policy.money import read_amount

    def value(session: Session, by: By, calls: Sequence[Call]) -> int:
        owner = calls[0].company
        wanted = None if amount == "none" else read_amount(amount, owner.currency, owner.language)
        return worth.value_call(session, by, calls[0], wanted)

    _change(company, [key], as_json, value)


@click.command("tag")
@click.argument("name")
@click.argument("keys", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take the tag away instead.")
@company_option
@json_option
def tag_command(name: str, keys: tuple[str, ...], remove: bool, company: str | None, as_json: bool) -> None:
    """Tag calls with a word of your own.

    \b
    Examples:
      leaseline calls tag delivery 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b
      leaseline calls tag delivery --remove 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b
    """
    from tracker import worth

    tag = worth.remove_tag if remove else worth.add_tag
    _change(company, keys, as_json, lambda session, by, calls: tag(session, by, calls, name))


@click.command("note")
@click.argument("key")
@click.argument("text")
@click.option("--second", type=float, help="Pin it to this second of the recording.")
@company_option
@json_option
def note_command(key: str, text: str, second: float | None, company: str | None, as_json: bool) -> None:
    """Write a note about a call.

    \b
    Example:
      leaseline calls note 6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b "Call back on Monday" --second 12.5
    """
    from tracker import worth

    def write(session: Session, by: By, calls: Sequence[Call]) -> int:
        worth.add_note(session, by, calls[0], text, second)
        return 1

    _change(company, [key], as_json, write)


def _change(company: str | None, keys: Sequence[str], as_json: bool, change: Change) -> None:
    """Changes the calls named, all or none, and says how many became another."""
    from tracker import calls

    with changing(company) as (session, owner, by):
        found = [calls.find_call(session, [owner.id], key) for key in keys]
        changed = change(session, by, found)
        told = [calls.describe(call) for call in found]
    if as_json:
        print_json({"changed": changed, "calls": told})
    else:
        click.echo(f"Changed {changed} of {len(found)} calls" if len(found) != 1 else _one(changed))


def _one(changed: int) -> str:
    return "Done" if changed else "It was so already"
