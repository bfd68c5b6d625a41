"""The worker's part in “check my site”: a page of the site in Chromium, as `leaseline site check` does it.

Who asks administers a company, not this machine: only pages of the site's own domains are opened, and none of
an inner network, unless the whole installation is one to try things out.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence
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
        _refuse_inside(opened, url)
        return _described(check_page(opened, url, stay_on=domains)), None
    except click.ClickException as no:
        return None, no.message
    except Exception:
        log.exception("the check of %s failed", url)
        return None, "Something went wrong on our side; the worker's log has the details"


def _refuse_inside(opened: Here, url: str) -> None:
    """Nobody looks into the network behind this machine by naming its addresses as a site's domain."""
    if not _is_inside(urlsplit(opened.settings.web_url).hostname or ""):
        host = urlsplit(url).hostname or ""
        if _is_inside(host):
            raise click.ClickException(
                f"{host} is an address of an inner network, where no visitor comes from"
            )


def _is_inside(host: str) -> bool:
    try:
        found = {row[4][0] for row in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False  # then it does not open either
    return any(not ipaddress.ip_address(str(each).split("%")[0]).is_global for each in found)


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
