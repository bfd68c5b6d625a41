"""`leaseline site`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_json, print_rows, print_thing
from commands.site_check import check_command
from commands.site_snippet import instructions, is_loopback, snippet_of

if TYPE_CHECKING:
    from web.snippet import Snippet


@click.group("site")
def site_group() -> None:
    """Sites: websites with our script, and the numbers on their pages that it swaps.

    \b
    Examples:
      leaseline site add Shop --domain shop.example --number "8 495 765-43-21" --pool Website
      leaseline site check https://shop.example/
    """


@click.group("number")
def swap_group() -> None:
    """Numbers that stand on a site's pages and are swapped for those of a pool.

    \b
    Example:
      leaseline site number add Shop "8 495 765-43-21" --pool Website
    """


site_group.add_command(swap_group)
site_group.add_command(check_command)


@site_group.command("add")
@click.argument("name")
@click.option(
    "--domain",
    "domains",
    multiple=True,
    required=True,
    help="Host name of its pages, *.shop.example for any below; may be repeated.",
)
@click.option(
    "--number", "numbers", multiple=True, help="The company's number on the pages; may be repeated."
)
@click.option("--pool", help="Pool whose numbers take its place.")
@click.option("--needs-consent", is_flag=True, help="Remember nothing before the visitor consents.")
@company_option
@json_option
def add_site(
    name: str, numbers: tuple[str, ...], pool: str | None, company: str | None, as_json: bool, **given: Any
) -> None:
    """Add a site and print what belongs on its pages.

    \b
    Examples:
      leaseline site add Shop --domain shop.example --number "8 495 765-43-21" --pool Website
      leaseline site add Blog --domain blog.shop.example --domain "*.blogs.example" --needs-consent
    """
    from tracker import pools, sites

    if bool(numbers) != (pool is not None):
        raise click.UsageError("--number and --pool go together")
    with changing(company) as (session, owner, by):
        site = sites.add(session, by, owner, name, **given)
        for number in numbers:
            sites.add_swap(session, by, site, number, pools.get_pool(session, owner, pool or ""))
        thing, snippet = sites.describe(site), snippet_of(site, here().settings.web_url)
    _print(thing, snippet, as_json=as_json, told=True)


@site_group.command("change")
@click.argument("name")
@click.option("--name", "new_name", help="New name.")
@click.option("--domain", "domains", multiple=True, help="All its host names from now on; may be repeated.")
@click.option(
    "--needs-consent/--needs-no-consent", default=None, help="Whether nothing is remembered before consent."
)
@company_option
@json_option
def change_site(
    name: str,
    new_name: str | None,
    domains: tuple[str, ...],
    company: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Change a site; pages have it within five minutes.

    \b
    Example:
      leaseline site change Shop --domain shop.example --domain shop.test
    """
    from tracker import sites

    with changing(company) as (session, owner, by):
        site = sites.get(session, owner, name)
        sites.change(session, by, owner, site, name=new_name, domains=domains or None, **given)
        thing, snippet = sites.describe(site), snippet_of(site, here().settings.web_url)
    _print(thing, snippet, as_json=as_json)


@site_group.command("list")
@company_option
@json_option
def list_sites(company: str | None, as_json: bool) -> None:
    """List sites.

    \b
    Example:
      leaseline site list
    """
    from tracker import sites

    with reading(company) as (session, owner):
        rows = [sites.describe(each) for each in sites.listed(session, owner)]
    if not as_json:
        rows = [row | {"numbers": [each["number"] for each in row["numbers"]]} for row in rows]
    columns = ("name", "domains", "numbers", "needs_consent", "key")
    print_rows(rows, columns, as_json=as_json, empty="No site yet: `leaseline site add`")


@site_group.command("show")
@click.argument("name")
@click.option("--snippet", "told", is_flag=True, help="Also say how to put the script on the pages.")
@company_option
@json_option
def show_site(name: str, told: bool, company: str | None, as_json: bool) -> None:
    """Show a site.

    \b
    Examples:
      leaseline site show Shop --snippet
      leaseline site show Shop --json | jq -r .snippet
    """
    from tracker import sites

    with reading(company) as (session, owner):
        site = sites.get(session, owner, name)
        thing, snippet = sites.describe(site), snippet_of(site, here().settings.web_url)
    _print(thing, snippet, as_json=as_json, told=told)


@site_group.command("delete")
@click.argument("name")
@company_option
def delete_site(name: str, company: str | None) -> None:
    """Delete a site nobody has visited yet.

    \b
    Example:
      leaseline site delete Shop
    """
    from tracker import sites

    with changing(company) as (session, owner, by):
        sites.delete(session, by, sites.get(session, owner, name))
    click.echo(f"Site {name} is deleted.")


@swap_group.command("add")
@click.argument("site")
@click.argument("number")
@click.option("--pool", required=True, help="Pool whose numbers take its place.")
@click.option("--region", default="", help="For visitors from this country only (ISO 3166).")
@click.option("--alias", help="How it also stands there: 1-800-FLOWERS.")
@company_option
@json_option
def add_swap(site: str, number: str, pool: str, company: str | None, as_json: bool, **given: Any) -> None:
    """Swap a number on the site's pages for numbers of a pool; pages have it within five minutes.

    \b
    Examples:
      leaseline site number add Shop "8 495 765-43-21" --pool Website
      leaseline site number add Shop "8 495 765-43-21" --pool Almaty --region KZ
    """
    from tracker import pools, sites

    with changing(company) as (session, owner, by):
        found = sites.get(session, owner, site)
        place = pools.get_pool(session, owner, pool)
        thing = sites.describe_swap(sites.add_swap(session, by, found, number, place, **given))
    print_thing(thing, as_json=as_json)


@swap_group.command("list")
@click.argument("site")
@company_option
@json_option
def list_swaps(site: str, company: str | None, as_json: bool) -> None:
    """List the numbers that are swapped on a site; the first is its main number.

    \b
    Example:
      leaseline site number list Shop
    """
    from tracker import sites

    with reading(company) as (session, owner):
        rows = [sites.describe_swap(each) for each in sites.get(session, owner, site).swaps]
    empty = "Nothing is swapped yet: `leaseline site number add`"
    print_rows(rows, ("number", "pool", "region", "alias"), as_json=as_json, empty=empty)


@swap_group.command("delete")
@click.argument("site")
@click.argument("number")
@click.option("--region", default="", help="The one for this country.")
@company_option
def delete_swap(site: str, number: str, region: str, company: str | None) -> None:
    """Leave a number on the site's pages alone from now on.

    \b
    Example:
      leaseline site number delete Shop "8 495 765-43-21"
    """
    from tracker import sites

    with changing(company) as (session, owner, by):
        swap = sites.get_swap(session, sites.get(session, owner, site), number, region=region)
        e164 = swap.e164
        sites.delete_swap(session, by, swap)
    click.echo(f"{e164} is no longer swapped on {site}.")


def _print(thing: dict[str, Any], snippet: Snippet, *, as_json: bool, told: bool = False) -> None:
    """A site with its snippet; for people with what to do about it, if that is to be told."""
    if as_json:
        print_json(thing | snippet._asdict())
        return
    in_words = [
        " ".join(filter(None, (each["number"], each["region"] or "", "for", each["pool"])))
        for each in thing["numbers"]
    ]
    print_thing(thing | {"numbers": in_words, "snippet": snippet.snippet}, as_json=False)
    if told:
        click.echo("\n" + instructions(snippet))
        _hint_if_unreachable(here().settings.web_url)


def _hint_if_unreachable(web_url: str) -> None:
    """Say on stderr that other people's browsers cannot load the script from there, if that is so."""
    if is_loopback(web_url):
        click.echo(
            f"Only this machine reaches {web_url}: set LEASELINE_WEB_URL, then show it again", err=True
        )
    elif web_url.startswith("http:"):
        click.echo(f"Pages with https refuse a script from {web_url}: set LEASELINE_WEB_URL", err=True)
