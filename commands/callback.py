"""`leaseline callback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option, reading
from commands.printing import print_json, print_rows, print_thing

if TYPE_CHECKING:
    from tracker.callback_settings import Change

_REFUSALS = {
    "off": ("the site calls nobody back", "Turn it on: `leaseline callback settings SITE --on`"),
    "malformed": ("that is no telephone number", "Give it like +44 121 234 5678"),
    "short": ("emergency numbers and short codes are never called", "Give a whole number"),
    "country": (
        "a number of a country that is not allowed",
        "See `--country`, `--prefix` of settings",
    ),
    "premium": ("a number that costs whoever calls it", "Such numbers are never called"),
    "own": ("a number of your own", "Give somebody else's"),
    "client_limit": ("too many requests from one address within an hour", "See `--per-client` of settings"),
    "number_limit": ("too many requests for one number within a day", "See `--per-number` of settings"),
    "day_limit": ("too many requests on this site within a day", "See `--per-day` of settings"),
    "cost_cap": ("the seconds allowed a day are used up", "See `--seconds-per-day` of settings"),
    "hours": ("nobody is there now", "See `--hours` of settings"),
}
_STATES = ("waiting", "ringing_employee", "ringing_visitor", "talked", "failed", "refused", "given_up")
_COUNTS = {
    "visitor_seconds": "How long the visitor's phone rings.",
    "tries": "How often it is tried.",
    "retry_minutes": "Minutes between two tries.",
    "per_client": "Requests from one address within an hour, at most.",
    "per_number": "Requests for one number within 24 hours, at most.",
    "per_day": "Requests of the site within 24 hours, at most.",
    "seconds_per_day": "Seconds spoken within 24 hours, after which nobody is called back any more.",
}


@click.group("callback")
def callback_group() -> None:
    """Callback: visitors who ask to be called, and how a site calls them.

    \b
    Examples:
      leaseline callback settings shop --trunk carrier --number 84951234567 --on
      leaseline callback test shop "8 916 123-45-67"
      leaseline callback list --state waiting
    """


@callback_group.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The newest so many."
)
@company_option
@json_option
def list_command(state: str | None, limit: int, company: str | None, as_json: bool) -> None:
    """List requests, the newest first, and how the minute is kept.

    \b
    Example:
      leaseline callback list --state refused
    """
    from datetime import timedelta

    from tracker import callbacks
    from tracker.callback_figures import describe, promise_of
    from tracker.models import CallbackState

    with reading(company) as (session, owner):
        states = (CallbackState(state),) if state else ()
        rows = [describe(it) for it in callbacks.listed(session, [owner.id], states=states, most=limit)]
        kept = promise_of(session, [owner.id], here().now - timedelta(days=30), here().now)
    columns = ("key", "requested_at", "phone", "state", "reason", "tries", "target", "site")
    print_rows(rows, columns, as_json=as_json, empty="Nobody has asked to be called back yet.")
    if not as_json and kept.employee.p50_seconds is not None:
        click.echo(
            f"First ring within 30 days: half within {kept.employee.p50_seconds:.1f} s, 95 % within "
            f"{kept.employee.p95_seconds:.1f} s; promised are {kept.seconds:.0f} s."
        )


@callback_group.command("show")
@click.argument("key")
@company_option
@json_option
def show(key: str, company: str | None, as_json: bool) -> None:
    """Show one request and what happened to it.

    \b
    Example:
      leaseline callback show 5fTq0b1kA9Yw2dHn
    """
    from tracker import callbacks
    from tracker.callback_figures import describe

    with reading(company) as (session, owner):
        shown = describe(callbacks.get(session, [owner.id], key))
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        if name != "story" and value is not None:
            click.echo(f"{name}: {value}")
    for entry in shown["story"]:
        click.echo(f"  {entry['at']}  {entry['what']}")


@callback_group.command("cancel")
@click.argument("key")
@company_option
def cancel(key: str, company: str | None) -> None:
    """Call off a request that waits.

    \b
    Example:
      leaseline callback cancel 5fTq0b1kA9Yw2dHn
    """
    from tracker import callbacks

    with changing(company) as (session, owner, by):
        callbacks.cancel(session, by, callbacks.get(session, [owner.id], key))
    click.echo("It is called off.")


@callback_group.command("again")
@click.argument("key")
@company_option
def again(key: str, company: str | None) -> None:
    """Call once more, at once, whoever could not be reached.

    \b
    Example:
      leaseline callback again 5fTq0b1kA9Yw2dHn
    """
    from tracker import callbacks

    with changing(company) as (session, owner, by):
        callbacks.try_again(session, by, callbacks.get(session, [owner.id], key))
    click.echo("It is called now.")


@callback_group.command("test")
@click.argument("site")
@click.argument("number")
@company_option
def test(site: str, number: str, company: str | None) -> None:
    """Have NUMBER called back as if its owner had asked on SITE: employee first, then that phone.

    \b
    Example:
      leaseline callback test shop "8 916 123-45-67"
    """
    from tracker import callbacks, sites
    from tracker.models import CallbackState

    with changing(company) as (session, owner, by):
        request = callbacks.try_out(session, by, sites.get(session, owner, site), number)
        key, state, reason = request.key, request.state, request.reason
    if state is CallbackState.REFUSED:
        why, fix = _REFUSALS.get(str(reason), (str(reason), f"See `leaseline callback settings {site}`"))
        raise click.ClickException(f"It is refused: {why}. {fix}")
    click.echo(f"{key} is called. See `leaseline callback show {key}`")


def _count_options(command: Any) -> Any:
    for name, meaning in reversed(_COUNTS.items()):
        command = click.option(f"--{name.replace('_', '-')}", type=int, help=meaning)(command)
    return command


@callback_group.command("settings")
@click.argument("site")
@click.option("--on/--off", "is_on", default=None, help="Whether the site calls back.")
@click.option("--trunk", metavar="TRUNK", help="Over which carrier visitors are called.")
@click.option("--number", metavar="NUMBER", help="Which number of yours they are shown.")
@click.option("--ring", "rings", multiple=True, metavar="TARGET[:SECONDS]", help="Who is rung, in order.")
@click.option("--ring-as-forwarded", is_flag=True, help="Ring as the number's forwarding says.")
@click.option("--hours", metavar="HOURS", help='Such as "mon-fri 9:00-18:00, sat 10:00-14:00"; "" is always.')
@click.option("--timezone", help="Whose clocks the hours go by; default: the company's.")
@click.option(
    "--country", "countries", multiple=True, metavar="DE",
    help="A country whose numbers are called, may be repeated; default: the company's own.",
)  # fmt: skip
@click.option("--prefix", "prefixes", multiple=True, metavar="+4930", help="Called besides, may be repeated.")
@click.option("--language", help="Of the button where a page names none.")
@click.option("--color", help="Of the button, such as #3451d1.")
@click.option("--text-color", help="Of what stands on it.")
@click.option("--position", type=click.Choice(["bottom-right", "bottom-left"]), help="Where the button is.")
@click.option("--text", "texts", multiple=True, metavar="LANGUAGE.NAME=TEXT", help="A text of your own.")
@_count_options
@company_option
@json_option
def settings_command(site: str, company: str | None, as_json: bool, **given: Any) -> None:
    """Show how SITE calls back, or set what is given; what is not given stays.

    To call back it needs a trunk, a number of yours to show, somebody to ring, and --on. Employees are rung
    as the number's forwarding says unless --ring names others. Premium-rate numbers are never called.

    \b
    Examples:
      leaseline callback settings shop
      leaseline callback settings shop --trunk carrier --number 84951234567 --ring Reception:20 --on
      leaseline callback settings shop --text "en.button=Ring me up" --color "#11653b"
    """
    from tracker import callback_settings, sites

    wish = _wish(given)
    with changing(company) as (session, owner, by):
        found = sites.get(session, owner, site)
        it = callback_settings.of_site(session, found)
        if wish is not None:
            it = callback_settings.change(session, by, owner, found, wish)
        shown = callback_settings.describe(session, found, it)
        key = found.key
    if as_json:
        print_json(shown)
        return
    shown["form"] = f"{here().settings.web_url.rstrip('/')}/cb/{key}"
    print_thing(_told(shown), as_json=False)


def _told(shown: dict[str, Any]) -> dict[str, Any]:
    """The settings as a person reads them."""
    rings = [f"{each['target']}:{each['seconds']}" for each in shown["rings"]]
    return {
        **shown,
        "rings": rings or "as the number's forwarding says",
        "hours": shown["hours"] or "always",
        "timezone": shown["timezone"] or "the company's",
        "countries": shown["countries"] or "the company's own",
        "looks": [f"{name} {value}" for name, value in shown["looks"].items()],
        "texts": [f"{lang}.{name}" for lang, own in shown["texts"].items() for name in own],
    }


def _wish(given: dict[str, Any]) -> Change | None:
    """What was given on the command line; None where only a look was wanted."""
    from tracker.callback_settings import Change

    counts = {name: given[name] for name in _COUNTS if given[name] is not None}
    rings = [_ring(each) for each in given["rings"]] or ([] if given["ring_as_forwarded"] else None)
    wish = Change(
        **{name: given[name] for name in (
            "is_on", "trunk", "number", "hours", "timezone", "language", "color", "text_color", "position"
        )},
        rings=rings,
        countries=given["countries"] or None,
        prefixes=given["prefixes"] or None,
        texts=_texts(given["texts"]) or None,
        counts=counts or None,
    )  # fmt: skip
    return None if wish == Change() else wish


def _ring(text: str) -> tuple[str, int]:
    name, colon, seconds = text.rpartition(":")
    if not colon:
        return text, here().settings.ring_seconds
    if not seconds.isdigit():
        raise click.UsageError(f"{text!r} is no TARGET:SECONDS: give whole seconds after the colon")
    return name, int(seconds)


def _texts(given: tuple[str, ...]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for each in given:
        place, equals, text = each.partition("=")
        language, dot, name = place.partition(".")
        if not equals or not dot:
            raise click.UsageError(f"{each!r} is no LANGUAGE.NAME=TEXT")
        texts.setdefault(language, {})[name] = text
    return texts
