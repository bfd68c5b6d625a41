"""`leaseline source`: where visits come from, and a company's own rules about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_json, print_rows, print_thing

KINDS = ("search", "social", "email", "ai")


@click.group("source")
def source_group() -> None:
    """Sources: where the visitors of a website come from, and rules of your own about it.

    \b
    Examples:
      leaseline source test "https://shop.example/?gclid=EAIaIQobChMI" --referrer https://www.google.com/
      leaseline source rule add --referrer "^https://forum[.]example/" --source forum --medium referral
    """


@source_group.command("test")
@click.argument("url")
@click.option("--referrer", help="Address of the page that was left for it.")
@company_option
@json_option
def test(url: str, referrer: str | None, company: str | None, as_json: bool) -> None:
    """Say what would be decided about a visit that begins at URL, and why.

    The company's rules, its sites' domains and the imported lists count as they do for real visits.

    \b
    Examples:
      leaseline source test "https://shop.example/?utm_source=news&utm_medium=email"
      leaseline source test https://shop.example/ --referrer https://chatgpt.com/
    """
    from tracker import sources
    from tracker.policy.sources import decide

    with reading(company) as (session, owner):
        decision = decide(
            url,
            referrer,
            own_hosts=sources.own_hosts_of(session, owner.id),
            rules=sources.rules_of(session, owner.id),
            known=sources.known_referrers(session),
        )
    thing = {**asdict(decision.origin), "because": decision.because}
    if not as_json:
        for name in ("click_ids", "parameters"):
            thing[name] = [f"{key}={value}" for key, value in thing[name].items()]
    print_thing(thing, as_json=as_json)


@source_group.command("import-referrers")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--kind", type=click.Choice(KINDS), help="What the files list, where their names do not say it."
)
@json_option
def import_referrers(files: tuple[Path, ...], kind: str | None, as_json: bool) -> None:
    """Import Matomo's lists of search engines, social networks and AI assistants, all of them or none.

    They are added to our own list, for all companies; where both know a host, ours counts. Importing a list
    again replaces what was imported of its kind. Every bad entry is reported, and then nothing is imported.

    \b
    Example:
      leaseline source import-referrers SearchEngines.yml Socials.yml AIAssistants.yml
    """
    from tracker import referrer_lists
    from tracker.policy.referrers import Kind

    wanted = Kind(kind) if kind else None
    found = [
        each for file in files for each in referrer_lists.read_list(file.read_bytes(), file.name, wanted)
    ]
    try:
        with here().database.write() as session:
            counts = referrer_lists.import_hosts(session, here().by(), found)
    except referrer_lists.BadEntries as bad:
        _tell_bad_entries(bad, as_json=as_json)
    rows = [asdict(each) for each in counts]
    if as_json:
        print_json({"imported": rows, "problems": []})
    else:
        print_rows(rows, ("kind", "hosts", "added", "changed", "removed"), as_json=False, empty="Nothing.")


@source_group.command("forget-referrers")
def forget_referrers() -> None:
    """Drop every imported list; our own list stays.

    \b
    Example:
      leaseline source forget-referrers
    """
    from tracker import referrer_lists

    with here().database.write() as session:
        count = referrer_lists.forget(session, here().by())
    click.echo(f"{count} imported hosts are dropped.")


@source_group.group("rule")
def rule_group() -> None:
    """Rules of your own: an address in which a pattern is found gives a source. The first that fits decides.

    \b
    Examples:
      leaseline source rule add --referrer "^https://forum[.]example/" --source forum --medium referral
      leaseline source rule add --landing "[?&]promo=radio" --source radio --medium offline --at 1
    """


@rule_group.command("add")
@click.option("--landing", metavar="PATTERN", help="Regular expression to find in the landing address.")
@click.option("--referrer", metavar="PATTERN", help="Regular expression to find in the referrer.")
@click.option("--source", required=True, help="Source of such visits.")
@click.option("--medium", required=True, help="Medium of such visits: referral, cpc, email, …")
@click.option("--campaign", help="Campaign of such visits; default: what their addresses say.")
@click.option("--at", "position", type=int, help="Place among the rules; default: behind the others.")
@company_option
@json_option
def add_rule(
    *, landing: str | None, referrer: str | None, company: str | None, as_json: bool, **given: Any
) -> None:
    """Add a rule.

    PATTERN is a regular expression, found anywhere in the address, regardless of case; %20 and the like are
    resolved before. Patterns that could take long on a hostile address are refused.

    \b
    Examples:
      leaseline source rule add --referrer "^https://forum[.]example/" --source forum --medium referral
      leaseline source rule add --landing "[?&]promo=radio" --source radio --medium offline --at 1
    """
    from tracker import sources

    if (landing is None) == (referrer is None):
        raise click.UsageError("give --landing or --referrer, and only one of them")
    part, pattern = ("landing", landing) if landing is not None else ("referrer", referrer)
    with changing(company) as (session, owner, by):
        thing = sources.describe(sources.add_rule(session, by, owner, part, pattern or "", **given))
    print_thing(thing, as_json=as_json)


@rule_group.command("list")
@company_option
@json_option
def list_rules(company: str | None, as_json: bool) -> None:
    """List rules, in the order in which they are asked.

    \b
    Example:
      leaseline source rule list
    """
    from tracker import sources

    with reading(company) as (session, owner):
        rows = [sources.describe(each) for each in sources.rows_of(session, owner.id)]
    columns = ("position", "part", "pattern", "medium", "source", "campaign")
    print_rows(rows, columns, as_json=as_json, empty="No rule yet: `leaseline source rule add`")


@rule_group.command("move")
@click.argument("position", type=int)
@click.argument("to", type=int)
@company_option
@json_option
def move_rule(position: int, to: int, company: str | None, as_json: bool) -> None:
    """Ask the rule at POSITION as the TO-th.

    \b
    Example:
      leaseline source rule move 3 1
    """
    from tracker import sources

    with changing(company) as (session, owner, by):
        thing = sources.describe(sources.move_rule(session, by, owner, position, to))
    print_thing(thing, as_json=as_json)


@rule_group.command("delete")
@click.argument("position", type=int)
@company_option
def delete_rule(position: int, company: str | None) -> None:
    """Delete the rule at POSITION; earlier visits keep the source it gave them.

    \b
    Example:
      leaseline source rule delete 2
    """
    from tracker import sources

    with changing(company) as (session, owner, by):
        pattern = sources.delete_rule(session, by, owner, position).pattern
    click.echo(f"The rule {pattern!r} is deleted.")


def _tell_bad_entries(bad: Any, *, as_json: bool) -> None:
    if as_json:
        problems = [asdict(each) for each in bad.problems]
        click.echo(json.dumps({"imported": [], "problems": problems}, ensure_ascii=False, indent=2))
    else:
        for each in bad.problems:
            click.echo(f"{each.file}: {each.name}: {each.problem}", err=True)
    raise click.ClickException(str(bad))
