"""`leaseline inlet`: ways in by which CRMs and shops tell sales, calls' worth and who is responsible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_json, print_rows, print_thing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.inlets import Filled
    from tracker.policy.inlets import Result
    from tracker.vault import Vault

ARRIVALS = ("at", "times", "became", "message_id", "told", "problem")


def filling_options(command: Any) -> Any:
    """What an inlet is filled in with."""
    for option in (
        click.option(
            "--set", "words", multiple=True, metavar="WORD=VALUE",
            help="A word of the mapping, such as map.phone=client.phone or won=paid; empty takes it away.",
        ),
        click.option(
            "--person", "persons", multiple=True, metavar="WORD=TARGET",
            help="Whom a word for a person means, as in 17=Reception; may be repeated.",
        ),
        click.option("--signature", metavar="KIND", help="What proves a message; see `inlet kinds`."),
        click.option("--place", help="The header, or the field, that proves a message."),
        click.option(
            "--secret-file", type=click.File("r"), help="File with the secret that the CRM gave; - is stdin."
        ),
        click.option(
            "--over-people/--under-people", default=None,
            help="Whether it counts also for calls that a person has judged.  [default: under]",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("inlet")
def inlet_group() -> None:
    """Inlets: where a CRM or a shop tells us, by signed webhooks.

    Of what calls were worth, of sales, of who is responsible for a caller.

    \b
    Examples:
      leaseline inlet add bitrix24 --name CRM --person 17=Reception
      leaseline inlet add woocommerce --name Shop
      leaseline inlet show CRM
    """


@inlet_group.command("kinds")
@json_option
def kinds(*, as_json: bool) -> None:
    """List the kinds of inlets: how each is signed, and its mapping to begin with.

    \b
    Example:
      leaseline inlet kinds
    """
    from tracker.policy.inlet_kinds import KINDS

    rows = [
        {
            "kind": it.word, "title": it.title, "signature": it.signature.value, "place": it.place or None,
            "mapping": dict(it.words),
        }
        for it in KINDS.values()
    ]  # fmt: skip
    print_rows(rows, ("kind", "title", "signature", "place"), as_json=as_json, empty="")


@inlet_group.command("add")
@click.argument("kind")
@click.option("--name", help="How it is called here; default: its kind's title.")
@filling_options
@company_option
@json_option
def add(*, kind: str, name: str | None, company: str | None, as_json: bool, **given: Any) -> None:
    """Add an inlet like that kind. Its address and its secret are printed, the secret this once.

    \b
    Examples:
      leaseline inlet add bitrix24 --name CRM --set target=QUALIFIED,WON --person 17=Reception
      leaseline inlet add shopify --secret-file shopify.secret
      leaseline inlet add own --signature sha256-hex --place X-Hub-Signature-256
    """
    from tracker import inlets

    with changing(company) as (session, owner, by):
        made, secret = inlets.add(session, by, owner, kind, _filled(given, name), vault=_vault())
        thing = inlets.describe(session, made, here().settings.web_url) | {
            "address": inlets.address_of(made, here().settings.web_url, secret),
            "secret": secret,
        }
    _print(thing, as_json=as_json)


@inlet_group.command("list")
@company_option
@json_option
def list_command(*, company: str | None, as_json: bool) -> None:
    """List inlets, and what came in there last.

    \b
    Example:
      leaseline inlet list
    """
    from tracker import inlets

    with reading(company) as (session, owner):
        newest = inlets.newest_arrivals(session, owner)
        rows = [
            {
                "name": it.name, "signature": it.signature.value, "address": inlets.address_of(it, _web()),
                "last_at": last.at if last else None, "became": last.became.value if last else None,
            }
            for it in inlets.list_inlets(session, owner)
            for last in (newest.get(it.id),)
        ]  # fmt: skip
    columns = ("name", "signature", "last_at", "became", "address")
    print_rows(rows, columns, as_json=as_json, empty="No inlet yet: `leaseline inlet add`")


@inlet_group.command("show")
@click.argument("name")
@company_option
@json_option
def show(*, name: str, company: str | None, as_json: bool) -> None:
    """Show an inlet: address, signature, mapping. Its secret is not shown again.

    \b
    Example:
      leaseline inlet show CRM
    """
    from tracker import inlets

    with reading(company) as (session, owner):
        thing = inlets.describe(session, inlets.find(session, owner, name), _web())
    _print(thing, as_json=as_json)


@inlet_group.command("arrivals")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many at most.")
@company_option
@json_option
def arrivals(*, name: str, limit: int, company: str | None, as_json: bool) -> None:
    """List what came in last, and what became of it and why. JSON also has where something stood.

    \b
    Example:
      leaseline inlet arrivals CRM
    """
    from tracker import inlets
    from tracker.policy.inlets import Result

    with reading(company) as (session, owner):
        found = inlets.list_arrivals(session, inlets.find(session, owner, name), limit)
        rows = [
            inlets.describe_arrival(it) | {"told": _lines([Result.read(each) for each in it.results])}
            for it in found
        ]
    print_rows(rows, ARRIVALS, as_json=as_json, empty="Nothing has come in yet")


@inlet_group.command("change")
@click.argument("name")
@click.option("--rename", metavar="NAME", help="Call it otherwise.")
@filling_options
@company_option
@json_option
def change(*, name: str, rename: str | None, company: str | None, as_json: bool, **given: Any) -> None:
    """Change what is given, and nothing else.

    \b
    Examples:
      leaseline inlet change CRM --set target=QUALIFIED,WON --set map.revenue=
      leaseline inlet change CRM --person 18=Anna --person 17=
    """
    from tracker import inlets

    with changing(company) as (session, owner, by):
        it = inlets.find(session, owner, name)
        inlets.change(session, by, it, _filled(given, rename), vault=_vault())
        thing = inlets.describe(session, it, _web())
    _print(thing, as_json=as_json)


@inlet_group.command("secret")
@click.argument("name")
@company_option
@json_option
def secret(*, name: str, company: str | None, as_json: bool) -> None:
    """Make a new secret and print it, this once; the one before counts no more.

    \b
    Example:
      leaseline inlet secret CRM
    """
    from tracker import inlets

    with changing(company) as (session, owner, by):
        it = inlets.find(session, owner, name)
        made = inlets.renew_secret(session, by, it, vault=_vault())
        thing = {"name": it.name, "address": inlets.address_of(it, _web(), made), "secret": made}
    print_thing(thing, as_json=as_json)


@inlet_group.command("try")
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--query", default="", metavar="WORDS", help="What stands in the address behind the question mark."
)
@company_option
@json_option
def try_command(*, name: str, file: Any, query: str, company: str | None, as_json: bool) -> None:
    """Say what a message would do, and store nothing. The file holds its body, JSON or a form; - is stdin.

    \b
    Examples:
      leaseline inlet try CRM sample.json
      leaseline inlet try CRM /dev/null --query "phone=%2B4915112345678&stage=WON&deal=17&amount=900"
    """
    from tracker import arriving, inlets
    from tracker.policy.tables import BadRows
    from web.inlets import sample

    told = sample(file.read().decode(errors="replace"), query)
    try:
        with reading(company) as (session, owner):
            it = inlets.find(session, owner, name)
            results = arriving.look(session, owner, it, told, here().now)
    except BadRows as bad:
        first = bad.problems[0]
        raise click.ClickException(f"Row {first.line}, {first.column}: {first.problem}") from None
    if as_json:
        print_json([each.document() for each in results])
        return
    for line in _lines(results):
        click.echo(line)


@inlet_group.command("remove")
@click.argument("name")
@company_option
def remove(*, name: str, company: str | None) -> None:
    """Take nothing in there any more. What came of it stays: sales, categories, who is responsible.

    \b
    Example:
      leaseline inlet remove CRM
    """
    from tracker import inlets

    with changing(company) as (session, owner, by):
        inlets.remove(session, by, inlets.find(session, owner, name))
    click.echo(f"Inlet {name} is removed.")


def _filled(given: dict[str, Any], name: str | None) -> Filled:
    from tracker.inlets import Filled

    return Filled(
        words=dict(_pair("--set", each) for each in given["words"]),
        persons=dict(_pair("--person", each) for each in given["persons"]) or None,
        signature=given["signature"],
        place=given["place"],
        secret=given["secret_file"].read().strip() if given["secret_file"] else None,
        over_people=given["over_people"],
        name=name,
    )


def _pair(option: str, text: str) -> tuple[str, str]:
    word, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{option} {text}: give WORD=VALUE")
    return word.strip(), value.strip()


def _lines(results: Sequence[Result]) -> list[str]:
    """Each result as it is printed: "row 1: sale 17"."""
    return [
        f"row {it.row}: {it.what.value.replace('_', ' ')} {it.about}".rstrip()
        + (f" (call {it.call})" if it.call else "")
        for it in results
    ]


def _print(thing: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(thing)
        return
    flat = {name: value for name, value in thing.items() if name not in {"mapping", "persons"}}
    flat |= thing["mapping"]
    flat |= {f"person {word}": name for word, name in thing["persons"].items()}
    print_thing(flat, as_json=False)


def _web() -> str:
    return here().settings.web_url


def _vault() -> Vault:
    from tracker.vault import Vault

    return Vault(here().settings.secret_key)
