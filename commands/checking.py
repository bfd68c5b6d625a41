"""The worker's part in “check my site”: a page of the site in Chromium, as `leaseline site check` does it.

Who asks administers a company, not this machine: only pages of the site's own domains are opened, and none of
an inner network, unless the whole installation is one to try things out. The browser's only way out is
commands.site_proxy.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from commands.context import Here
    from commands.site_check import Report
    from tracker.worker import Job

log = logging.getLogger("leaseline.worker")

EVERY_SECONDS = 1.0
MOST_FINDINGS, LONGEST_TEXT = 200, 300


def checking_jobs(opened: Here) -> Sequence[Job]:
    """Sites are checked when somebody asked for it on the page."""
    from tracker.worker import Job

    return (Job("site checks", EVERY_SECONDS, lambda: check_next(opened)),)


def check_next(opened: Here) -> None:
    """Carry out the oldest check that waits. Whatever goes wrong is its result."""
    from tracker import site_checks
    from tracker.models import Site

    with opened.database.read() as session:
        if not site_checks.waits(session, opened.now):
            return
    with opened.database.write() as session:
        check = site_checks.claim(session, opened.now)
        domains = list(session.get_one(Site, check.site_id).domains) if check else []
    if check is None:
        return
    report, problem = None, None
    if check.tries > site_checks.MOST_TRIES:
        problem = "The check was cut off each time it was tried; the worker's log may say why"
    else:
        report, problem = _look(opened, check.url, domains)
    with opened.database.write() as session:
        site_checks.finish(session, check.id, opened.now, report=report, problem=problem)


def _look(opened: Here, url: str, domains: Sequence[str]) -> tuple[dict[str, Any] | None, str | None]:
    from commands.site_check import check_page

    try:
        with _way_out(opened, url) as flags:
            return _described(check_page(opened, url, stay_on=domains, flags=flags)), None
    except click.ClickException as no:
        return None, no.message
    except Exception:
        log.exception("the check of %s failed", url)
        return None, "Something went wrong on our side; the worker's log has the details"


@contextmanager
def _way_out(opened: Here, url: str) -> Iterator[Sequence[str]]:
    """Nobody looks into the network behind this machine by a site's domain, or by what its page leads to."""
    from commands.site_proxy import guarded

    networks, own = opened.settings.webhook_networks, urlsplit(opened.settings.web_url)
    if _is_inside(own.hostname or "", ()):
        yield ()
        return
    host = urlsplit(url).hostname or ""
    if _is_inside(host, networks):
        raise click.ClickException(f"{host} is an address of an inner network, where no visitor comes from")
    port = own.port or (443 if own.scheme == "https" else 80)
    with guarded(networks, f"{own.hostname}:{port}") as flags:
        yield flags


def _is_inside(host: str, networks: Sequence[str]) -> bool:
    from tracker.policy.telling import address_problem

    try:
        found = {str(row[4][0]) for row in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False  # then it does not open either
    return any(address_problem("https", each, networks) for each in found)


def _described(report: Report) -> dict[str, Any]:
    """The report as JSON, no longer than a person reads."""
    thing = {"ok": report.ok} | asdict(report)
    found = thing["findings"][:MOST_FINDINGS]
    thing["findings"] = [{name: _short(value) for name, value in each.items()} for each in found]
    for name in ("policy", "console", "not_there"):
        thing[name] = [_short(each) for each in list(thing[name])[:20]]
    return thing


def _short(value: object) -> str | None:
    return None if value is None else " ".join(str(value).split())[:LONGEST_TEXT]
