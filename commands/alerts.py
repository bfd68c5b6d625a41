"""`leaseline alerts`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_rows, print_thing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from tracker.alert_addresses import Listed
    from tracker.audit import By
    from tracker.models import Alert, AlertAddress, Company

THRESHOLDS = (  # tracker.policy.alerts.Thresholds
    "pool_free_percent", "pool_misses", "missed_calls", "missed_calls_company", "silent_days",
    "callbacks_late",
)  # fmt: skip
installation_option = click.option(
    "--installation", is_flag=True, help="Of the installation (trunks, disk, call server), not of a company."
)


@click.group("alerts")
def alerts_group() -> None:
    """Alerts: what needs somebody, whom it is told, and from when on.

    \b
    Example:
      leaseline alerts list
    """


@alerts_group.command("list")
@click.option("--all", "everything", is_flag=True, help="Those of the last 30 days that are over, too.")
@json_option
def list_command(everything: bool, as_json: bool) -> None:
    """List the alerts going on, of every company and of the installation. Exit code 1 if there is one.

    \b
    Examples:
      leaseline alerts list
      leaseline alerts list --all --json
    """
    from tracker import alerts
    from tracker.telling import describe

    with here().database.read() as session:
        who = _everybody(session)
        going_on = alerts.going_on(session, who)
        found = [*going_on, *(alerts.history(session, who, here().now) if everything else ())]
        rows = [describe(each) if as_json else _row(each) for each in found]
    columns = ("id", "begun_at", "ended_at", "company", "title", "seen_by")
    print_rows(rows, columns, as_json=as_json, empty="No alert: all is well")
    if going_on:
        raise click.exceptions.Exit(1)


@alerts_group.command("show")
@click.argument("alert_id", metavar="ID", type=int)
@json_option
def show(alert_id: int, as_json: bool) -> None:
    """Show an alert, and what to do about it.

    \b
    Example:
      leaseline alerts show 7
    """
    from tracker import alerts
    from tracker.telling import describe

    with here().database.read() as session:
        thing = describe(alerts.get_alert(session, _everybody(session), alert_id))
    print_thing(thing, as_json=as_json)


@alerts_group.command("threshold")
@click.argument("name", required=False, type=click.Choice(THRESHOLDS))
@click.argument("value", required=False, type=int)
@click.option("--usual", is_flag=True, help="Give the usual value back.")
@company_option
@json_option
def threshold(name: str | None, value: int | None, usual: bool, company: str | None, as_json: bool) -> None:
    """Show from when on a company is told, or change one of the thresholds; 0 means never.

    \b
    Examples:
      leaseline alerts threshold
      leaseline alerts threshold missed_calls 5
      leaseline alerts threshold missed_calls --usual
    """
    from dataclasses import asdict

    from tracker import alerts
    from tracker.alert_facts import thresholds_of

    if name is not None and (value is None) != usual:
        raise click.UsageError("Give a value, or --usual")
    if name is None:
        with reading(company) as (_, owner):
            thing = asdict(thresholds_of(owner.alert_thresholds))
    else:
        with changing(company) as (session, owner, by):
            thing = asdict(alerts.change_threshold(session, by, owner, name, value))
    print_thing(thing, as_json=as_json)


@alerts_group.command("test")
@click.argument("address_id", metavar="ID", type=int)
@json_option
def test(address_id: int, as_json: bool) -> None:
    """Send a real test message to an address, now, and print what was answered.

    \b
    Example:
      leaseline alerts test 1
    """
    from tracker import alert_addresses, telling
    from tracker.models import News
    from tracker.outbox import new_message

    opened = here()
    with opened.database.read() as session:
        address = _address(session, address_id)
        message = new_message(address.id, News.TEST, opened.now)
        message.address = address
        letter, where = telling.write(message, opened.settings.web_url), alert_addresses.shown(address)
    answer = telling.deliver(letter, opened.settings, opened.now)
    print_thing({"to": where, "delivered": answer.ok, "answer": answer.text}, as_json=as_json)
    if not answer.ok:
        raise click.exceptions.Exit(1)


@alerts_group.group("address")
def address_group() -> None:
    """Where alerts are told: e-mail addresses and webhooks.

    \b
    Example:
      leaseline alerts address add olga@pallets.example
    """


@address_group.command("add")
@click.argument("address")
@click.option("--secret", help="Secret of a webhook (whsec_…); default: one is made.")
@company_option
@installation_option
@json_option
def add(address: str, secret: str | None, company: str | None, installation: bool, as_json: bool) -> None:
    """Tell alerts to an e-mail address or a webhook from now on. A webhook's secret is shown.

    \b
    Examples:
      leaseline alerts address add olga@pallets.example
      leaseline alerts address add https://hooks.pallets.example/leaseline
      leaseline alerts address add admin@pallets.example --installation
    """
    from tracker import alert_addresses

    with _changing(company, installation=installation) as (session, owner, by):
        made = alert_addresses.add(session, by, owner, address, secret)
        thing = {**_describe(alert_addresses.Listed(made, None)), "secret": made.secret}
    print_thing(thing, as_json=as_json)


@address_group.command("list")
@json_option
def list_addresses(as_json: bool) -> None:
    """List the addresses of all companies and of the installation, and what each answered last.

    \b
    Example:
      leaseline alerts address list
    """
    from tracker import alert_addresses

    with here().database.read() as session:
        rows = [_describe(each) for each in alert_addresses.list_addresses(session, _owners(session))]
    columns = ("id", "company", "way", "address", "last_at", "last_answer", "disabled_because")
    print_rows(
        rows, columns, as_json=as_json, empty="Alerts are told to nobody: `leaseline alerts address add`"
    )


@address_group.command("delete")
@click.argument("address_id", metavar="ID", type=int)
def delete(address_id: int) -> None:
    """Tell alerts to an address no more.

    \b
    Example:
      leaseline alerts address delete 1
    """
    from tracker import alert_addresses

    with here().database.write() as session:
        found = _address(session, address_id)
        where = alert_addresses.shown(found)
        alert_addresses.delete(session, here().by(), found)
    click.echo(f"{where} is told nothing more.")


@contextmanager
def _changing(company: str | None, *, installation: bool) -> Iterator[tuple[Session, Company | None, By]]:
    if installation:
        with here().database.write() as session:
            yield session, None, here().by()
        return
    with changing(company) as opened:
        yield opened


def _owners(session: Session) -> list[int | None]:
    """Every company, and the installation."""
    from tracker import companies

    return [None, *(each.id for each in companies.everyone(session))]


def _everybody(session: Session) -> Any:
    from tracker.alerts import Seer

    return Seer([each for each in _owners(session) if each is not None], installation=True)


def _address(session: Session, address_id: int) -> AlertAddress:
    from tracker import alert_addresses

    return alert_addresses.get_address(session, _owners(session), address_id)


def _row(alert: Alert) -> dict[str, Any]:
    from tracker.telling import describe

    zone = ZoneInfo(alert.company.timezone if alert.company else "UTC")
    ended_at = alert.ended_at.astimezone(zone) if alert.ended_at else None
    return {**describe(alert), "begun_at": alert.begun_at.astimezone(zone), "ended_at": ended_at}


def _describe(listed: Listed) -> dict[str, Any]:
    it, last = listed.address, listed.last
    return {
        "id": it.id,
        "company": it.company.slug if it.company else None,
        "way": it.way.value,
        "address": listed.shown,
        "created_at": it.created_at,
        "last_at": (last.sent_at or last.given_up_at or last.created_at) if last else None,
        "last_answer": last.answer if last else None,
        "disabled_at": it.disabled_at,
        "disabled_because": it.disabled_because,
    }
