"""`leaseline site check`: what the script does to a page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from commands.context import Here, company_option, here, json_option, reading
from commands.printing import print_json, table

if TYPE_CHECKING:
    from commands.site_browser import Look, Looks
    from tracker.models import Site
    from tracker.policy.page_check import Answer, Finding, Wanted

# Why nothing of the visitor's own was given: the visit API's words.
REASONS = {
    "pool_empty": "all numbers of the pool are leased or resting",
    "reserved": "the numbers that are left are kept for visits from paid ads",
    "shared": "by the pool's rule only some channel groups get numbers of their own",
    "no_pool": "no number of the site is swapped for visitors from this country",
    "consent": "the visitor has not consented",
    "limited": "too many requests came from here",
    "untrusted": "few numbers are free, and this visitor looks automated",
    "none": "the visitor looks like a robot",
}


@dataclass(frozen=True)
class Shop:
    """A site as it is needed here, out of the database."""

    name: str
    key: str
    region: str
    needs_consent: bool
    wanted: tuple[Wanted, ...]
    domains: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Everything that was found out. `problem`: why nothing could be swapped."""

    url: str
    site: str | None
    key: str | None
    script: str | None
    problem: str | None
    findings: Sequence[Finding]
    not_there: Sequence[str]
    policy: Sequence[str]  # what the page's Content-Security-Policy forbade
    console: Sequence[str]
    screenshot: str | None

    @property
    def ok(self) -> bool:
        """Every number that stands on the page was swapped, and there was one."""
        verdicts = {finding.verdict for finding in self.findings}
        return self.problem is None and "swapped" in verdicts and "missed" not in verdicts


@click.command("check")
@click.argument("url")
@click.option("--inject", metavar="SITE", help="Put this site's script on the page, if it is not there yet.")
@click.option("--screenshot", type=click.Path(dir_okay=False, path_type=Path), help="Write a picture (PNG).")
@click.option(
    "--wait-seconds", type=float, default=10, show_default=True, help="How long to wait for the swap."
)
@company_option
@json_option
def check_command(url: str, inject: str | None, company: str | None, as_json: bool, **given: Any) -> None:
    """Open a page in Chromium and tell which numbers were swapped, which not, and why.

    It is a visit like any other: it takes a number of the pool and gives it back. Ends with 1 if a number of
    the site that stands on the page is not swapped.

    \b
    Examples:
      leaseline site check https://shop.example/ --screenshot shop.png
      leaseline site check https://shop.example/ --inject Shop
    """
    page = _address(url)
    address, shop = _injected(company, inject) if inject else (None, None)
    report = check_page(here(), page, address, shop, **given)
    if as_json:
        print_json({"ok": report.ok} | asdict(report))
    else:
        click.echo(_told(report))
    if not report.ok:
        click.get_current_context().exit(1)


def _address(text: str) -> str:
    """The address of a page; https where it names no scheme."""
    from tracker.errors import Rejected
    from tracker.policy.page_check import read_address

    try:
        return read_address(text)
    except Rejected as no:
        problem = f"{no.message}: {no.fix[0].lower()}{no.fix[1:]}"
        raise click.BadParameter(problem, param_hint="URL") from None


def check_page(
    opened: Here,
    url: str,
    address: str | None = None,
    shop: Shop | None = None,
    *,
    screenshot: Path | None = None,
    wait_seconds: float = 10.0,
    stay_on: Sequence[str] | None = None,
    flags: Sequence[str] = (),
) -> Report:
    """Look at the page in Chromium, with these flags. `stay_on`: domains that it must not lead away from.

    Raises click.ClickException when the page cannot be opened, or leads away.
    """
    from commands.site_browser import chromium, look_at
    from tracker.policy.page_check import find, missing

    shops: dict[str, Shop | None] = {shop.key: shop} if shop else {}

    def known(key: str) -> Shop | None:
        return shops.setdefault(key, _by_key(opened, key))

    with chromium(*flags) as browser:
        looks = look_at(
            browser, url, known, inject=address, screenshot=screenshot, patience_seconds=wait_seconds
        )
    if stay_on is not None:
        _refuse_elsewhere(looks, stay_on)
    found = shops.get(looks.before.key) if looks.before.key else None
    problem = _problem(looks.after, looks.before.key, found)
    wanted = found.wanted if found else ()
    region = found.region if found else "ZZ"
    answer = _answer(looks.after, problem)
    findings = find(looks.before.places, looks.after.places, wanted, answer, region)
    return Report(
        url=url,
        site=found.name if found else None,
        key=looks.before.key,
        script=looks.before.address,
        problem=problem or answer.reason,
        findings=findings,
        not_there=missing(wanted, findings),
        policy=looks.after.violations,
        console=looks.after.console,
        screenshot=str(screenshot) if screenshot else None,
    )


def _refuse_elsewhere(looks: Looks, domains: Sequence[str]) -> None:
    from tracker.sites import fits

    for look in (looks.before, looks.after):
        if not fits(domains, look.host):
            raise click.ClickException(
                f"The page leads away, to {look.host}, which is none of the site's domains:"
                " give the address that it leads to, after adding its domain"
            )


def _problem(look: Look, key: str | None, shop: Shop | None) -> str | None:
    """Why the script cannot have done anything; None when it could."""
    if key is None:
        if look.page_status is not None and look.page_status >= 400:
            return f"the page itself was answered with {look.page_status}: name one that is there"
        return "there is no script of ours on the page: `leaseline site show NAME --snippet`, or try --inject"
    if shop is None:
        return f"the script on the page is of a site that is not here (key {key})"
    return _unloaded(look) or _silence(look, shop)


def _unloaded(look: Look) -> str | None:
    if look.status is None:
        if policy := _forbidden(look, "script-src"):
            return f"the script was not loaded: {policy}"
        return f"the script was not loaded: {look.trouble or 'no answer'}; see `leaseline doctor`"
    if look.status >= 400:
        return f"the script was answered with {look.status}: see `leaseline doctor`"
    return None


def _silence(look: Look, shop: Shop) -> str | None:
    """Why the script, though it ran, got no number."""
    if look.answered is None:
        why = _forbidden(look, "connect-src") or "did it fail, or does it wait for something?"
        return f"the script had no answer to its question for a number: {why}"
    if look.answered.status >= 400:
        said = look.answer.get("error", {}).get("message") if isinstance(look.answer, dict) else None
        return f"no number was given: {said or _refusal(look, shop, look.answered.status)}"
    return None


def _refusal(look: Look, shop: Shop, status: int) -> str:
    """Why the visit API said no, where its words were not to be had: browsers drop what no script reads."""
    from tracker.sites import fits

    if status != 403 or fits(shop.domains, look.host):
        return f"the visit API answered {status}; see `leaseline doctor`"
    host = urlsplit(f"//{look.host}").hostname or ""
    options = " ".join(f"--domain {shlex.quote(each)}" for each in (*shop.domains, host))
    return (
        f"{host} is none of the site's domains; if it should be:"
        f" `leaseline site change {shlex.quote(shop.name)} {options}`"
    )


def _forbidden(look: Look, directive: str) -> str | None:
    """What the page's policy says about it: "script-src-elem forbids https://…"."""
    found = next((each for each in look.violations if each.startswith(directive)), None)
    return f"the page's Content-Security-Policy, {found}" if found else None


def _answer(look: Look, problem: str | None) -> Answer:
    from tracker.policy.page_check import Answer, Given

    if problem is not None or not isinstance(look.answer, dict):
        return Answer({}, problem or "the answer to the script makes no sense")
    given = {each["from"]: Given(each["e164"], each.get("code")) for each in look.answer.get("numbers") or []}
    reason = look.answer.get("reason")
    return Answer(given, None if given or not reason else REASONS.get(reason, reason))


def _injected(company: str | None, name: str) -> tuple[str, Shop]:
    """The address of a site's script, and the site."""
    from tracker import sites

    with reading(company) as (session, owner):
        key = sites.get(session, owner, name).key
    shop = _by_key(here(), key)
    if shop is None:
        raise click.ClickException(f"site {name} was deleted this moment")
    return f"{here().settings.web_url}/s/{key}.js", shop


def _by_key(opened: Here, key: str) -> Shop | None:
    from tracker import sites
    from tracker.models import Company

    with opened.database.read() as session:
        site = sites.by_key(session, key)
        if site is None:
            return None
        region = session.get_one(Company, site.company_id).default_region
        return Shop(site.name, site.key, region, site.needs_consent, _wanted(site), tuple(site.domains))


def _wanted(site: Site) -> tuple[Wanted, ...]:
    from tracker.policy.page_check import Wanted
    from tracker.policy.swapping import looked_for

    return tuple(Wanted(each["e"], tuple(each["v"]), each.get("a")) for each in looked_for(site.swaps))


def _told(report: Report) -> str:
    """The report for people: a word on the script, a line a number and place, what else was heard."""
    lines = [f"Script: {report.script or 'none'}" + (f" (site {report.site})" if report.site else "")]
    lines += [f"Problem: {report.problem}"] if report.problem else []
    columns = ("number", "verdict", "where", "before", "after", "why")
    rows = [_row(finding, report.problem) for finding in report.findings]
    lines += ["", table([column.upper() for column in columns], rows, columns), ""] if rows else []
    lines += [f"Not on this page: {number}" for number in report.not_there]
    lines += [f"Forbidden by the page's policy: {each}" for each in report.policy]
    lines += [f"Console: {line}" for line in report.console]
    lines += [f"Picture: {report.screenshot}"] if report.screenshot else []
    return "\n".join([*lines, _verdict(report)])


def _row(finding: Finding, problem: str | None) -> dict[str, str | None]:
    thing = {name: value and str(value) for name, value in asdict(finding).items()}
    short = {name: " ".join((thing[name] or "").split())[:40] for name in ("before", "after")}
    why = "see above" if problem and finding.why == problem else thing["why"]
    return thing | short | {"why": why}


def _verdict(report: Report) -> str:
    counts = {
        word: sum(finding.verdict == word for finding in report.findings)
        for word in ("swapped", "missed", "left", "gone", "strange")
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no number found"
    return f"{'Good' if report.ok else 'Not good'}: {told}."
