"""`leaseline plan`: what happens to calls, tried out before it rings."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, hint_if_not_live, json_option, reading
from commands.forward import find_scope, scope_options
from commands.plan_trial import forget, test
from commands.printing import print_json, print_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.models import Company
    from tracker.scopes import Where

CLOCK_SECONDS = 3600  # that the plans go by another clock
EXAMPLE = """\
# A plan is a list of steps; each says where the call goes next, or "end".
start: hours
steps:
  hours:                        # by the company's clocks
    kind: hours
    open:
      mon-fri: 09:00-13:00, 14:00-18:00
      sat: 10:00-14:00
    holidays: [01-01, 2027-04-05]
    special: {12-24: 09:00-12:00}
    then: menu
    closed: box
  menu:
    kind: menu
    say: For sales press one, for service press two.
    keys: {1: sales, 2: service}
    then: sales                 # nothing was pressed
  sales:
    kind: ring
    order: in turn              # or: at once, round, weight
    targets: [Reception:20, Mobile:25]
    busy: box                   # everybody is busy
    then: box                   # nobody answers
  service:
    kind: ring
    order: at once
    targets:
      - {target: Reception, seconds: 20, most: 2}    # no third call at a time
      - {target: Mobile, seconds: 20}
    then: box
  box:
    kind: voicemail
    say: Please leave a message after the tone.
    mail: [office@example.com]
"""


@click.group("plan")
def plan_group() -> None:
    """Plans: hours, menus, groups that ring, voicemail; for a number, channel, pool, site or the company.

    \b
    Examples:
      leaseline plan example > office.yaml
      leaseline plan add office office.yaml
      leaseline plan test office --at "2026-12-24 15:00"
      leaseline plan use office
    """


for _command in (test, forget):
    plan_group.add_command(_command)


@plan_group.command("example")
def example() -> None:
    """Print a plan to begin with.

    \b
    Example:
      leaseline plan example > office.yaml
    """
    click.echo(EXAMPLE, nl=False)


@plan_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List the plans, with what they are used for.

    \b
    Example:
      leaseline plan list
    """
    from tracker import plan_uses

    with reading(company) as (session, owner):
        rows = plan_uses.described(session, owner)
    columns = ("name", "version", "steps", "trials", "used_for")
    print_rows(rows, columns, as_json=as_json, empty="No plan yet: `leaseline plan add NAME FILE`")


@plan_group.command("show")
@click.argument("name")
@company_option
@json_option
def show(name: str, company: str | None, as_json: bool) -> None:
    """Print a plan as `leaseline plan change` takes it.

    \b
    Example:
      leaseline plan show office > office.yaml
    """
    import yaml

    from tracker import plan_list
    from tracker.policy.plan_document import document_of

    with reading(company) as (session, owner):
        document = document_of(plan_list.read(session, owner, plan_list.get(session, owner, name)))
    if as_json:
        print_json(document)
    else:
        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100), nl=False)


@plan_group.command("add")
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@company_option
def add(name: str, file: IO[bytes], company: str | None) -> None:
    """Add a plan from a YAML or JSON file, "-" for standard input. It is checked as a whole.

    \b
    Example:
      leaseline plan add office office.yaml
    """
    from tracker import plans

    document = _document(file)
    _speak(company, name, document)
    with changing(company) as (session, owner, by):
        plans.add(session, by, owner, name, document)
    click.echo(
        f"Plan {name} is added. Try it: `leaseline plan test {name!r}`; then `leaseline plan use {name!r}`."
    )


@plan_group.command("change")
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@click.option("--anew", is_flag=True, help="Kept trials expect from now on what they do then.")
@company_option
def change(name: str, file: IO[bytes], anew: bool, company: str | None) -> None:
    """Change a plan; its kept trials are run first. No call is dropped.

    \b
    Examples:
      leaseline plan change office office.yaml
      leaseline plan change office office.yaml --anew
    """
    from tracker import plan_list, plans

    document = _document(file)
    _speak(company, name, document)
    with changing(company) as (session, owner, by):
        plan = plan_list.get(session, owner, name)
        changed = plans.change(session, by, owner, plan, document, anew=anew)
        version = plan.version
    click.echo(f"Plan {name} is version {version}." if changed else "It says that already.")
    hint_if_not_live()


@plan_group.command("rename")
@click.argument("name")
@click.argument("new_name")
@company_option
def rename(name: str, new_name: str, company: str | None) -> None:
    """Give a plan another name.

    \b
    Example:
      leaseline plan rename office "Main office"
    """
    from tracker import plan_list, plans

    with changing(company) as (session, owner, by):
        plans.rename(session, by, owner, plan_list.get(session, owner, name), new_name)
    click.echo(f"Plan {name} is called {new_name} now.")


@plan_group.command("delete")
@click.argument("name")
@company_option
def delete(name: str, company: str | None) -> None:
    """Delete a plan that is used for nothing. Calls that are in it go on by it.

    \b
    Example:
      leaseline plan delete office
    """
    from tracker import plan_list, plans

    with changing(company) as (session, owner, by):
        plans.delete(session, by, owner, plan_list.get(session, owner, name))
    click.echo(f"Plan {name} is deleted.")


def scope_and_site_options(command: Any) -> Any:
    """Those of forwarding, and `--site`; none of them means the whole company."""
    return scope_options(click.option("--site", help="For every number that this site shows.")(command))


@plan_group.command("use")
@click.argument("name")
@scope_and_site_options
@company_option
def use(name: str, company: str | None, **scope: str | None) -> None:
    """Let calls go by this plan: a number's, a channel's, a pool's, a site's, or all the company's.

    It takes the place of forwarding that was set for the same. A number's own plan or forwarding comes
    first, else its channel's or pool's, else its site's, else the company's.

    \b
    Examples:
      leaseline plan use office
      leaseline plan use evenings --channel Billboard
    """
    from tracker import plan_list, plan_uses
    from tracker.scopes import scope_name

    with changing(company) as (session, owner, by):
        where = _where(session, owner, **scope)
        plan_uses.use(session, by, where, plan_list.get(session, owner, name))
        told = scope_name(where)
    click.echo(f"For {told} calls go by plan {name}.")
    hint_if_not_live()


@plan_group.command("clear")
@scope_and_site_options
@company_option
def clear(company: str | None, **scope: str | None) -> None:
    """No plan for this any more; the wider plan or forwarding counts again.

    \b
    Example:
      leaseline plan clear --channel Billboard
    """
    from tracker import plan_uses
    from tracker.scopes import scope_name

    with changing(company) as (session, owner, by):
        where = _where(session, owner, **scope)
        plan_uses.clear(session, by, where)
        told = scope_name(where)
    click.echo(f"No plan is set for {told} any more.")
    hint_if_not_live()


@plan_group.command("clock")
@click.argument("at", required=False)
@company_option
def clock(at: str | None, company: str | None) -> None:
    """Set the clock of the plans, to hear now what callers hear then; without AT it is right again.

    It holds for real calls too, for an hour, until it is set right or Asterisk starts anew.

    \b
    Examples:
      leaseline plan clock "2026-12-24 15:00"
      leaseline plan clock
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dialplan.apply import command
    from dialplan.program import find_program
    from dialplan.render import place_of

    with reading(company) as (_, owner):
        zone = ZoneInfo(owner.timezone)
    try:
        shown = datetime.fromisoformat(at).replace(tzinfo=zone) if at else here().now
    except ValueError:
        raise click.UsageError(f"{at!r} is no day and time: give it as 2026-12-24 15:00") from None
    seconds = round((shown - here().now).total_seconds())
    settings = here().settings
    until = round(here().now.timestamp()) + CLOCK_SECONDS
    for name, value in (("LL_CLOCK_UNTIL", until), ("LL_CLOCK", seconds)):
        command(find_program(settings), place_of(settings), f"dialplan set global {name} {value}")
    told = f"Plans go by {at} for an hour, set forward by {seconds} s: of all companies, for real calls too."
    click.echo(told if at else "The clock of the plans is right.")


# ---- what they have in common ----


def _document(file: IO[bytes]) -> object:
    from tracker.policy.plan_yaml import LONGEST, read_text

    try:
        return read_text(file.read(4 * LONGEST).decode())  # a letter has four bytes at most
    except UnicodeDecodeError:
        raise click.ClickException("This is no text in UTF-8. Save the plan as such") from None


def _speak(company: str | None, name: str, document: object) -> None:
    """What cannot be spoken is refused here, and not in a call."""
    from tracker import plan_sounds, plans

    with reading(company) as (session, owner):
        heard = plans.to_hear(session, owner, name, document)
    plan_sounds.speak(here().settings, heard)


def _where(session: Session, owner: Company, site: str | None = None, **scope: str | None) -> Where:
    from tracker import sites

    if site is None:
        return find_scope(session, owner, **scope)
    if any(scope.values()):
        raise click.UsageError("Give one of --number, --channel, --pool, --site")
    return sites.get(session, owner, site)
