"""`leaseline outgoing`."""

from __future__ import annotations

from typing import Any

import click

from commands.context import changing, company_option, hint_if_not_live, json_option, reading
from commands.printing import print_thing

REFUSED = 10  # that are shown


@click.group("outgoing")
def outgoing_group() -> None:
    """Calling out: over which trunk, under which number, where to, and from which phones.

    \b
    Examples:
      leaseline outgoing allow --trunk carrier --number +493012345678
      leaseline outgoing grant Reception
      leaseline outgoing show
    """


@outgoing_group.command("allow")
@click.option("--trunk", help="The trunk to call over.")
@click.option("--number", help="Which of the company's numbers is shown to whom it calls.")
@click.option("--country", "countries", multiple=True,
              help="May be called (DE, PL, …), may be repeated; default: the company's own.")  # fmt: skip
@click.option("--prefix", "prefixes", multiple=True,
              help="May be called too, as +4930 or +1, may be repeated.")  # fmt: skip
@click.option("--daily-calls", type=int, help="At most so many calls a day; default 500.")
@click.option("--daily-minutes", type=int, help="No call begins after so many minutes of talk; default 1000.")
@click.option("--record/--no-record", default=None, help="Whether these calls are recorded; default yes.")
@company_option
@json_option
def allow(company: str | None, as_json: bool, **given: Any) -> None:
    """Let the company call out, or change how; what is not given stays.

    Countries and prefixes replace those before. Premium-rate numbers are never called; emergency numbers
    always may be, by each of the company's phones. A number goes out in the form that the trunk wants
    (`leaseline trunk change TRUNK --dial-as`), an emergency number as it was dialled.

    \b
    Examples:
      leaseline outgoing allow --trunk carrier --number +493012345678
      leaseline outgoing allow --country DE --country AT --daily-calls 200
    """
    from tracker import outgoing

    wish = outgoing.Wish(**{name: value if value != () else None for name, value in given.items()})
    with changing(company) as (session, owner, by):
        thing = outgoing.describe(outgoing.allow(session, by, owner, wish))
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@outgoing_group.command("forbid")
@company_option
def forbid(company: str | None) -> None:
    """Let nobody of the company call out any more, not even emergency numbers through us.

    \b
    Example:
      leaseline outgoing forbid
    """
    from tracker import outgoing

    with changing(company) as (session, owner, by):
        outgoing.forbid(session, by, owner)
    click.echo("Nobody calls out any more.")
    hint_if_not_live()


@outgoing_group.command("grant")
@click.argument("targets", nargs=-1, required=True)
@company_option
def grant(targets: tuple[str, ...], company: str | None) -> None:
    """Let phones and phone systems call out.

    A phone system is known by its address: make sure that nobody else can send from it.

    \b
    Example:
      leaseline outgoing grant Reception "Main line"
    """
    _set(targets, company, to=True)


@outgoing_group.command("revoke")
@click.argument("targets", nargs=-1, required=True)
@company_option
def revoke(targets: tuple[str, ...], company: str | None) -> None:
    """Let phones and phone systems call out no more.

    \b
    Example:
      leaseline outgoing revoke Reception
    """
    _set(targets, company, to=False)


def _set(names: tuple[str, ...], company: str | None, *, to: bool) -> None:
    from tracker import outgoing

    with changing(company) as (session, owner, by):
        outgoing.grant(session, by, owner, names, to=to)
        now = [target.name for target in outgoing.granted(session, owner)]
    click.echo(f"May call out: {', '.join(now) if now else 'nobody'}")
    hint_if_not_live()


@outgoing_group.command("try")
@click.argument("number")
@click.option("--from", "target_name", required=True, help="The phone or phone system that dials it.")
@company_option
@json_option
def try_command(number: str, target_name: str, company: str | None, as_json: bool) -> None:
    """Show what would happen if a phone dialled NUMBER now: over what, shown as what, or why not.

    Nothing is called.

    \b
    Example:
      leaseline outgoing try "0171 2345678" --from Reception
    """
    from commands.context import here
    from tracker import outgoing, targets

    with reading(company) as (session, owner):
        target = targets.get(session, owner, target_name)
        found = outgoing.try_number(session, owner, target, number, here().now)
        thing = outgoing.describe_tried(found)
    print_thing(thing, as_json=as_json)


@outgoing_group.command("show")
@company_option
@json_option
def show(company: str | None, as_json: bool) -> None:
    """Show what is allowed, to whom, what has gone out today, and what was refused last.

    \b
    Example:
      leaseline outgoing show --json
    """
    from commands.context import here
    from tracker import outgoing

    with reading(company) as (session, owner):
        rule = outgoing.rule_of(session, owner.id)
        spent = outgoing.spent(session, owner.id, owner.timezone, here().now)
        thing: dict[str, Any] = {
            "allowed": rule is not None,
            **(outgoing.describe(rule) if rule else {}),
            "granted": [target.name for target in outgoing.granted(session, owner)],
            "calls_today": spent.calls,
            "minutes_today": round(spent.seconds / 60, 1),
            "refused": [
                {"at": at, "from": name, "to": did, "why": why.removeprefix(outgoing.REASON)}
                for at, name, did, why in outgoing.refused(session, owner, REFUSED)
            ],
        }
    if not as_json:
        thing["refused"] = [
            f"{each['at']:%Y-%m-%d %H:%M} {each['from']} to {each['to']}: {each['why']}"
            for each in thing["refused"]
        ]
    print_thing(thing, as_json=as_json)
