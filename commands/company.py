"""`leaseline company`."""

from __future__ import annotations

from typing import Any

import click

from commands.context import here, hint_if_not_live, json_option
from commands.printing import print_rows, print_thing


@click.group("company")
def company_group() -> None:
    """Companies: whose numbers these are.

    \b
    Example:
      leaseline company add pallets --name "Pallets Ltd" --region RU
    """


@company_group.command("add")
@click.argument("slug")
@click.option("--name", help="Full name; default: the short name.")
@click.option(
    "--region", required=True, help="Country (RU, DE, …): how numbers without a country code are read."
)
@click.option("--timezone", default="UTC", show_default=True, help="IANA timezone of its reports.")
@click.option("--currency", help="ISO 4217 (EUR, PLN, …) of its money; default: its country's.")
@click.option("--language", default="en", show_default=True, help="Of its page: en, ru, uk or pl.")
@json_option
def add(slug: str, name: str | None, as_json: bool, **given: Any) -> None:
    """Add a company. SLUG is its short name in commands.

    \b
    Examples:
      leaseline company add pallets --name "Pallets Ltd" --region RU --timezone Europe/Moscow
      leaseline company add acme --region DE
    """
    from tracker import companies, people

    with here().database.write() as session:
        company = companies.add(session, here().by(), slug, name or slug, **given)
        people.give_first_owner(session, company)
        thing = companies.describe(company)
    print_thing(thing, as_json=as_json)


@company_group.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List companies.

    \b
    Example:
      leaseline company list
    """
    from tracker import companies

    with here().database.read() as session:
        rows = [companies.describe(company) for company in companies.everyone(session)]
    print_rows(
        rows,
        ("slug", "name", "region", "timezone", "currency", "language"),
        as_json=as_json,
        empty="No company yet: `leaseline company add`",
    )


@company_group.command("show")
@click.argument("slug")
@json_option
def show(slug: str, as_json: bool) -> None:
    """Show a company.

    \b
    Example:
      leaseline company show pallets
    """
    from tracker import companies

    with here().database.read() as session:
        print_thing(companies.describe(companies.get(session, slug)), as_json=as_json)


@company_group.command("change")
@click.argument("slug")
@click.option("--name", help="New full name.")
@click.option("--region", help="New country; numbers already added stay as they are.")
@click.option("--timezone", help="New IANA timezone.")
@click.option("--currency", help="New currency (ISO 4217); sums already written down are not converted.")
@click.option("--language", help="New language of its page: en, ru, uk or pl.")
@click.option(
    "--judge-by-phone/--no-judge-by-phone", default=None,
    help="Whether employees may say by their phones' keys what a call was worth.",
)  # fmt: skip
@click.option(
    "--recording-codes/--no-recording-codes", default=None,
    help="Whether employees may pause or forbid the recording by codes of their phones.",
)  # fmt: skip
@click.option(
    "--remember-refusals/--no-remember-refusals", default=None,
    help="Whether a caller who refuses the recording by a key is never recorded again.",
)  # fmt: skip
@click.option(
    "--whisper", metavar="TEXT",
    help="What employees hear before they are connected: words with the places {channel}, {source},"
    " {campaign}, {keyword}, {again}; \"\" for nothing.",
)  # fmt: skip
@json_option
def change(slug: str, as_json: bool, **given: Any) -> None:
    """Change a company: its name, country, timezone, money, language, and what its employees hear and may do.

    \b
    Examples:
      leaseline company change pallets --timezone Europe/Berlin
      leaseline company change pallets --whisper "Call from {source}, {keyword}, {again}"
    """
    from tracker import companies

    with here().database.write() as session:
        company = companies.get(session, slug)
        companies.change(session, here().by(), company, **given)
        thing = companies.describe(company)
    print_thing(thing, as_json=as_json)
    hint_if_not_live()


@company_group.command("delete")
@click.argument("slug")
def delete(slug: str) -> None:
    """Delete a company that owns nothing.

    \b
    Example:
      leaseline company delete acme
    """
    from tracker import companies

    with here().database.write() as session:
        companies.delete(session, here().by(), companies.get(session, slug))
    click.echo(f"Company {slug} is deleted.")
