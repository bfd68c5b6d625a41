"""`leaseline saved`: reports that are kept by name, sent by e-mail, shared by links."""

from __future__ import annotations

from typing import Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_json, print_rows, print_thing
from commands.report import tell


@click.group("saved")
def saved_group() -> None:
    """Reports that are kept by name: shown again, sent by e-mail at their times, shared by links.

    \b
    Examples:
      leaseline saved add Campaigns "by=campaign&period=last_month&compare=yes"
      leaseline saved schedule Campaigns --every month --day 1 --hour 8 --to boss@pallets.example
    """


@saved_group.command("list")
@company_option
@json_option
def list_command(company: str | None, as_json: bool) -> None:
    """List the saved reports, with when they are sent and what became of the last mails.

    \b
    Examples:
      leaseline saved list
      leaseline saved list --json
    """
    from tracker import report_schedules, saved_reports

    with reading(company) as (session, owner):
        found = saved_reports.list_reports(session, [owner.id])
        schedules = report_schedules.list_schedules(session, [it.id for it in found])
        rows = [
            saved_reports.describe(it)
            | {"schedules": [report_schedules.describe(each) for each in schedules.get(it.id, [])]}
            for it in found
        ]
    if as_json:
        print_json(rows)
        return
    told = [row | {"sent": _sent(row["schedules"])} for row in rows]
    columns = ("name", "words", "sent", "made_by")
    print_rows(told, columns, as_json=False, empty="No report is saved: `leaseline saved add`")


@saved_group.command("add")
@click.argument("name")
@click.argument("words", default="")
@company_option
@json_option
def add(name: str, words: str, company: str | None, as_json: bool) -> None:
    """Keep a report by name. WORDS are those of its address, as `/api/v1/report` takes them.

    \b
    Examples:
      leaseline saved add Sources
      leaseline saved add Campaigns "by=campaign&period=last_month&compare=yes"
      leaseline saved add "Google, keywords" "by=keyword&source=google&medium=cpc&period=90d"
    """
    from tracker import saved_reports
    from tracker.policy.saved_reports import words_of

    with changing(company) as (session, owner, by):
        thing = saved_reports.describe(saved_reports.save(session, by, owner, name, words_of(words)))
    print_thing(thing, as_json=as_json)


@saved_group.command("show")
@click.argument("name")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--xlsx", metavar="FILE", help="Write an Excel workbook there.")
@company_option
@json_option
def show(name: str, as_csv: bool, xlsx: str | None, company: str | None, as_json: bool) -> None:
    """Show a saved report as it is now, as `leaseline report` does.

    \b
    Examples:
      leaseline saved show Campaigns
      leaseline saved show Campaigns --xlsx campaigns.xlsx
    """
    from tracker import saved_reports
    from tracker.reports import read_asked

    with reading(company) as (session, owner):
        saved = saved_reports.find_report(session, owner, name)
        found = read_asked(session, owner, saved.words, here().now)
    tell(found, as_json=as_json, as_csv=as_csv, xlsx=xlsx, title=saved.name, company=owner.name)


@saved_group.command("rename")
@click.argument("name")
@click.argument("new")
@company_option
def rename(name: str, new: str, company: str | None) -> None:
    """Give a saved report another name.

    \b
    Example:
      leaseline saved rename Campaigns "Campaigns, last month"
    """
    from tracker import saved_reports

    with changing(company) as (session, owner, by):
        saved_reports.rename(session, by, saved_reports.find_report(session, owner, name), new)
    click.echo(f"{name} is now {new}.")


@saved_group.command("delete")
@click.argument("name")
@company_option
def delete(name: str, company: str | None) -> None:
    """Delete a saved report: it is no longer sent, and links to it open nothing.

    \b
    Example:
      leaseline saved delete Campaigns
    """
    from tracker import saved_reports

    with changing(company) as (session, owner, by):
        saved_reports.delete(session, by, saved_reports.find_report(session, owner, name))
    click.echo(f"{name} is deleted.")


@saved_group.command("schedule")
@click.argument("name")
@click.option(
    "--every", type=click.Choice(["day", "week", "month"]), default="week", show_default=True,
    help="How often.",
)  # fmt: skip
@click.option("--day", default="", metavar="DAY", help="Weekday (mon to sun), or day of the month (1 to 31).")
@click.option("--hour", default="8", show_default=True, metavar="HOUR", help="Of the company's clocks.")
@click.option("--to", "addresses", multiple=True, required=True, metavar="ADDRESS", help="E-mail address.")
@company_option
@json_option
def schedule(
    *, name: str, every: str, day: str, hour: str, addresses: tuple[str, ...], company: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Send a saved report by e-mail from now on, with its workbook. A month without the day has its last.

    \b
    Examples:
      leaseline saved schedule Campaigns --every week --day mon --hour 8 --to boss@pallets.example
      leaseline saved schedule Campaigns --every month --day 1 --to a@pallets.example --to b@pallets.example
    """
    from tracker import report_schedules, saved_reports
    from tracker.policy.schedules import read_addresses, read_schedule

    when, to = read_schedule(every, day, hour), read_addresses(" ".join(addresses))
    with changing(company) as (session, owner, by):
        saved = saved_reports.find_report(session, owner, name)
        made = report_schedules.add(session, by, saved, when, to)
        thing = report_schedules.describe(report_schedules.Listed(made, ()))
    if not here().settings.smtp_host:
        click.echo("No mail server is set yet: LEASELINE_SMTP_HOST, LEASELINE_SMTP_FROM", err=True)
    print_thing(thing, as_json=as_json)


@saved_group.command("unschedule")
@click.argument("name")
@click.argument("schedule_id", metavar="ID", type=int)
@company_option
def unschedule(name: str, schedule_id: int, company: str | None) -> None:
    """Send a saved report no more at a time, by the id that `leaseline saved list --json` tells.

    \b
    Example:
      leaseline saved unschedule Campaigns 1
    """
    from tracker import report_schedules, saved_reports

    with changing(company) as (session, owner, by):
        saved = saved_reports.find_report(session, owner, name)
        report_schedules.delete(
            session, by, saved, report_schedules.get_schedule(session, saved, schedule_id)
        )
    click.echo(f"{name} is no longer sent then.")


@saved_group.command("share")
@click.argument("name")
@click.option("--days", type=int, default=7, show_default=True, help="How long it opens: 1, 7, 30 or 90.")
@company_option
@json_option
def share(name: str, days: int, company: str | None, as_json: bool) -> None:
    """Make a link with which anybody reads a saved report without logging in; printed this once.

    \b
    Example:
      leaseline saved share Campaigns --days 30
    """
    from tracker import saved_reports

    with changing(company) as (session, owner, by):
        saved = saved_reports.find_report(session, owner, name)
        token = saved_reports.make_link(session, by, saved, days=days)
    address = f"{here().settings.web_url.rstrip('/')}/shared/reports/{token}"
    print_thing({"link": address, "days": days}, as_json=as_json)


def _sent(schedules: list[dict[str, Any]]) -> str:
    """Each of its times, with the trouble of its last mails."""
    return "; ".join(_time(each) for each in schedules)


def _time(it: dict[str, Any]) -> str:
    from tracker.policy.report_text import times
    from tracker.policy.schedules import Every, Schedule
    from tracker.policy.tongue import Tongue

    words = times(Schedule(Every(it["every"]), it["day"], it["hour"]), Tongue())
    trouble = [f" ({each['to']}: {each['answer']})" for each in it["last"] if not each["sent_at"]]
    return f"{words} to {', '.join(it['to'])}{''.join(trouble)}"
