"""`leaseline destination`: where calls are told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from tracker.destination_list import Filled
    from tracker.destination_trial import Tried
    from tracker.vault import Vault

event_option = click.option(
    "--event", "events", multiple=True, metavar="EVENT",
    help="What it is told of; may be repeated. Default: what its kind usually is."
)  # fmt: skip
value_option = click.option(
    "--set", "values", multiple=True, metavar="FIELD=VALUE",
    help="Fill a field in; may be repeated. FIELD=@FILE reads a secret from a file, FIELD= takes it away."
)  # fmt: skip


@click.group("destination")
def destination_group() -> None:
    """Where calls are told: analytics, advertising systems, CRMs, programs of your own.

    \b
    Examples:
      leaseline destination kinds
      leaseline destination add ga4 --set measurement_id=G-ABC1234567 --set api_secret=@ga4.secret
      leaseline destination test "Google Analytics 4"
    """


@destination_group.command("kinds")
@click.argument("kind", required=False)
@json_option
def kinds(kind: str | None, as_json: bool) -> None:
    """List the kinds of destinations, or one kind's fields and events.

    \b
    Examples:
      leaseline destination kinds
      leaseline destination kinds ga4
    """
    from tracker.destinations import KINDS
    from tracker.destinations.fields import kind_of

    if kind is None:
        rows = [{"kind": it.word, "title": it.title, "about": str(it.about)} for it in KINDS.values()]
        print_rows(rows, ("kind", "title", "about"), as_json=as_json, empty="")
        return
    its = kind_of(kind)
    fields = [
        {
            "field": it.name, "needed": it.required, "usual": it.usual or None,
            "choices": list(it.choices) or None, "hint": str(it.hint),
        }
        for it in its.fields
    ]  # fmt: skip
    print_rows(fields, ("field", "needed", "usual", "hint"), as_json=as_json, empty="It has no fields")
    if not as_json:
        click.echo(f"events  {', '.join(its.timings)}\nusual   {', '.join(its.usual_events)}")


@destination_group.command("add")
@click.argument("kind")
@click.option("--name", help="How it is called here; default: its kind's title.")
@value_option
@event_option
@company_option
@json_option
def add(
    *, kind: str, name: str | None, values: tuple[str, ...], events: tuple[str, ...], company: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Tell a destination of calls that begin from now on. A webhook's secret is shown, this once.

    \b
    Examples:
      leaseline destination add webhook --name shop --set url=https://hooks.shop.example/calls
      leaseline destination add ga4 --set measurement_id=G-ABC1234567 --set api_secret=@ga4.secret
    """
    from tracker import destination_list
    from tracker.destination_list import describe

    vault = _vault()
    with changing(company) as (session, owner, by):
        filled = _filled(name, values, events)
        made = destination_list.add(session, by, owner, kind, filled, vault=vault)
        thing = describe(made)
        if made.kind == "webhook":
            thing["secret"] = vault.open(made.secrets)["secret"]
    print_thing(thing, as_json=as_json)


@destination_group.command("change")
@click.argument("name")
@click.option("--rename", metavar="NAME", help="Call it otherwise.")
@value_option
@event_option
@click.option("--forget-secret", is_flag=True, help="Let a webhook's secret of before sign no more.")
@company_option
@json_option
def change(
    *, name: str, rename: str | None, values: tuple[str, ...], events: tuple[str, ...], forget_secret: bool,
    company: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Change what is given, and nothing else. A destination that wanted no more is told again.

    A webhook's new secret signs beside the one before until that is forgotten.

    \b
    Examples:
      leaseline destination change shop --set url=https://hooks.shop.example/v2
      leaseline destination change shop --event call.completed --event call.updated
    """
    from tracker import destination_list

    vault = _vault()
    with changing(company) as (session, owner, by):
        it = destination_list.find(session, owner, name)
        if forget_secret:
            destination_list.forget_secret(session, by, it, vault=vault)
        if rename or values or events:
            destination_list.change(session, by, it, _filled(rename, values, events), vault=vault)
        thing = destination_list.describe(it)
    print_thing(thing, as_json=as_json)


@destination_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List destinations: how each fares, what is due and since when. Exit code 1 if one fails.

    Held is what waits for a category, a recording or the destination's own clock, as it should.

    \b
    Example:
      leaseline destination list
    """
    from tracker import destination_list

    with reading(company) as (session, owner):
        rows = destination_list.describe_all(session, owner, here().now)
    columns = ("name", "kind", "state", "waiting", "oldest_at", "held", "failed", "sent_at", "answer")
    print_rows(rows, columns, as_json=as_json, empty="No destination yet: `leaseline destination add`")
    if any(row["state"] in {"failing", "disconnected", "disabled"} for row in rows):
        raise click.exceptions.Exit(1)


@destination_group.command("show")
@click.argument("name")
@company_option
@json_option
def show(name: str, company: str | None, as_json: bool) -> None:
    """Show a destination, without its secrets.

    \b
    Example:
      leaseline destination show shop
    """
    from tracker import destination_list

    with reading(company) as (session, owner):
        it = destination_list.find(session, owner, name)
        rows = destination_list.describe_all(session, owner, here().now)
        thing = next(row for row in rows if row["id"] == it.id)
    print_thing(thing, as_json=as_json)


@destination_group.command("test")
@click.argument("name")
@company_option
@json_option
def test(name: str, company: str | None, as_json: bool) -> None:
    """Send a test, now, and print what was asked and answered. Exit code 1 if it was not taken.

    \b
    Example:
      leaseline destination test shop
    """
    from tracker import destination_list, destination_trial
    from web.catalogues import translator

    opened = here()
    with reading(company) as (session, owner):
        its = destination_list.find(session, owner, name).id
    tried = destination_trial.try_now(
        opened.database, opened.settings, its, opened.now, translator=translator
    )
    if as_json:
        print_thing(destination_trial.describe(tried), as_json=True)
    else:
        _print(tried)
    if not tried.answer.ok:
        raise click.exceptions.Exit(1)


@destination_group.command("connect")
@click.argument("name")
@click.option("--answer", metavar="ADDRESS", help="Where the browser arrived, with code=… and state=…")
@company_option
def connect(name: str, answer: str | None, company: str | None) -> None:
    """Have a person let us in over there (OAuth 2): prints the address to open, and takes the answer.

    The address to come back to, for the application over there, is printed as well.

    \b
    Examples:
      leaseline destination connect "amoCRM / Kommo"
      leaseline destination connect "amoCRM / Kommo" --answer "https://calls.shop.example/connected?code=…&state=…"
    """
    from tracker import destination_access as access
    from tracker import destination_list
    from tracker.destination_safe import Safe

    opened = here()
    with reading(company) as (session, owner):
        it, slug = destination_list.find(session, owner, name), owner.slug
        session.expunge(it)
    safe = Safe(opened.database, _vault(), it.id, lambda: opened.now)
    if answer is None:
        place = access.question(it, safe, opened.settings, (slug, access.COMMAND), opened.now)
        click.echo(f"come back to  {access.redirect_of(opened.settings)}\nopen          {place}")
        return
    told = dict(parse_qsl(urlsplit(answer).query))
    asked_for = access.read_state(opened.settings, access.COMMAND, told.get("state", ""), opened.now)
    if asked_for != (slug, it.id):
        raise click.UsageError(f"That is the answer to a question about another destination than {name}")
    access.connect(it, safe, opened.settings, told.get("code", ""), opened.now)
    with changing(company) as (session, owner, by):
        access.note(session, by, destination_list.find(session, owner, name))
    click.echo(f"{name} is connected.")


@destination_group.command("pause")
@click.argument("name")
@company_option
def pause(name: str, company: str | None) -> None:
    """Let what comes wait.

    \b
    Example:
      leaseline destination pause shop
    """
    _pause(name, company, paused=True)
    click.echo(f"{name} is told nothing until `leaseline destination resume`; what comes waits.")


@destination_group.command("resume")
@click.argument("name")
@company_option
def resume(name: str, company: str | None) -> None:
    """Go on with what has waited, in order.

    \b
    Example:
      leaseline destination resume shop
    """
    _pause(name, company, paused=False)
    click.echo(f"{name} is told what has waited.")


@destination_group.command("delete")
@click.argument("name")
@company_option
def delete(name: str, company: str | None) -> None:
    """Tell a destination no more, and forget what it was told.

    \b
    Example:
      leaseline destination delete shop
    """
    from tracker import destination_list

    with changing(company) as (session, owner, by):
        destination_list.delete(session, by, destination_list.find(session, owner, name))
    click.echo(f"{name} is told nothing more.")


def _pause(name: str, company: str | None, *, paused: bool) -> None:
    from tracker import destination_list

    with changing(company) as (session, owner, by):
        it = destination_list.find(session, owner, name)
        destination_list.pause(session, by, it, paused=paused)


def _filled(name: str | None, values: tuple[str, ...], events: tuple[str, ...]) -> Filled:
    from tracker.destination_list import Filled

    read = dict(_value(each) for each in values)
    return Filled(read, list(events) or None, name)


def _value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set {text}: give FIELD=VALUE, or FIELD=@FILE")
    if not value.startswith("@"):
        return name, value
    try:
        return name, Path(value[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as trouble:
        raise click.UsageError(f"--set {name}: {value[1:]} cannot be read: {trouble}") from None


def _vault() -> Vault:
    from tracker.vault import Vault

    return Vault(here().settings.secret_key)


def _print(tried: Tried) -> None:
    for each in tried.exchanges:
        click.echo(f"{each.method} {each.url}")
        for name, value in each.headers.items():
            click.echo(f"{name}: {value}")
        click.echo(f"\n{each.body}\n\n{each.reply}\n")
    click.echo("It was taken." if tried.answer.ok else f"It was not taken: {tried.answer.text}")
