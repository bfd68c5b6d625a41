"""`leaseline doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from commands import checks_asterisk, checks_books, checks_machine, checks_ringing, checks_script, checks_site
from commands.context import Here, here, json_option
from commands.findings import Finding, State, looked_at
from commands.printing import print_json

# A check is a function here; the name stands for it when it cannot even be carried out.
CHECKS: tuple[tuple[str, Callable[[Here], Iterator[Finding]]], ...] = (
    ("settings", checks_machine.settings),
    ("disk", checks_machine.disk),
    ("clock", checks_machine.clock),
    ("database", checks_books.database),
    ("secrets", checks_books.secrets),
    ("asterisk", checks_asterisk.program),
    ("processes", checks_machine.processes),
    ("ports", checks_machine.ports),
    ("challenge", checks_machine.challenge),
    ("configuration", checks_asterisk.configuration),
    ("manager", checks_asterisk.manager),
    ("trunks and targets", checks_asterisk.reachability),
    ("strangers", checks_asterisk.strangers),
    ("voice", checks_ringing.voice),
    ("plan clock", checks_ringing.plan_clock),
    ("messages", checks_ringing.messages),
    ("numbers", checks_books.numbers),
    ("spool", checks_books.spool),
    ("reported calls", checks_books.folders),
    ("refused calls", checks_books.refusals),
    ("recordings", checks_books.recordings),
    ("saved reports", checks_books.reports),
    ("sites", checks_site.sites),
    ("pools", checks_site.pools),
    ("script", checks_script.script),
    ("addresses", checks_site.addresses),
    ("visits", checks_site.visits),
    ("coverage", checks_site.coverage),
    ("numbers nobody calls", checks_site.unheard),
)
_MARKS = {State.OK: "ok  ", State.WARN: "warn", State.BAD: "BAD "}


@click.command("doctor")
@json_option
def doctor_command(as_json: bool) -> None:
    """Look at everything and say what is wrong and how to put it right. Exit code 1 if something is bad.

    \b
    Examples:
      leaseline doctor
      leaseline doctor --json
    """
    findings = examine(here())
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            click.echo(_line(finding))
    if any(finding.state is State.BAD for finding in findings):
        raise click.exceptions.Exit(1)


def examine(opened: Here) -> list[Finding]:
    """Every check's findings. Without settings nothing else can be looked at."""
    findings: list[Finding] = []
    for name, check in CHECKS:
        findings += looked_at(name, lambda check=check: check(opened))  # type: ignore[misc]
        if name == "settings" and findings[-1].state is State.BAD:
            break
    return findings


def _line(finding: Finding) -> str:
    mark = click.style(
        _MARKS[finding.state], fg={State.OK: "green", State.WARN: "yellow", State.BAD: "red"}[finding.state]
    )
    fix = f"\n        {finding.fix}" if finding.fix and finding.state is not State.OK else ""
    return f"{mark}  {finding.name}: {finding.message}{fix}"
