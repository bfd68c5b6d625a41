"""What doctor looks at in Asterisk: the program, its configuration, its manager, who can be reached."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from commands.context import Here
from commands.findings import Finding, bad, ok, some, warn

_LOG_BYTES = 500_000  # of the end of Asterisk's log
_SHOWN = 5
_UNREACHABLE = {"Unavailable", "Invalid", "Unknown"}


def program(opened: Here) -> Iterator[Finding]:
    """Which Asterisk runs, from where, and whether it is safe."""
    from dialplan.program import find_program

    found = find_program(opened.settings)
    told = f"{found.shown_version}, {found.origin}: {found.path}"
    if found.warning:
        yield warn("asterisk", told, found.warning)
    else:
        yield ok("asterisk", told)


def configuration(opened: Here) -> Iterator[Finding]:
    """Whether Asterisk has been told what the database says."""
    from commands.live import run_apply

    applied = run_apply(opened, dry=True)
    if applied.changed:
        changed = some(applied.changed)
        yield warn("configuration", f"not applied yet: {changed} would change", "Run `leaseline apply`")
    else:
        yield ok("configuration", "says what the database says")


def manager(opened: Here) -> Iterator[Finding]:
    """Asterisk answers at its manager interface and takes our secret."""
    if not _asterisk_runs(opened):
        yield warn("manager", "Asterisk is not running, so nothing was asked", "Start it: `leaseline up`")
        return
    from agi.oneshot import ask

    told = ask(opened.settings, "CoreStatus")[0]
    started = f"{told.get('CoreStartupDate', '?')} {told.get('CoreStartupTime', '')}".strip()
    yield ok("manager", f"answers; Asterisk has run since {started} (its local time)")


def reachability(opened: Here) -> Iterator[Finding]:
    """Whether each trunk and target answers our OPTIONS, and each registration is in force."""
    if not _asterisk_runs(opened):
        return
    from agi.oneshot import ask
    from dialplan.apply import command
    from dialplan.program import find_program
    from dialplan.render import place_of

    # Our manager user may not list endpoints (that takes the right to change the system); the console may.
    listing = command(find_program(opened.settings), place_of(opened.settings), "pjsip show endpoints")
    endpoints = endpoint_states(listing)
    registrations = {
        row["ObjectName"]: row["Status"]
        for row in ask(opened.settings, "PJSIPShowRegistrationsOutbound")
        if row.get("Event") == "OutboundRegistrationDetail"
    }
    for name, about, kind in _expected(opened):
        yield _reached(name, about, kind, endpoints)
        registered = next((state for key, state in registrations.items() if key.startswith(name)), None)
        if kind == "registration" and registered != "Registered":
            shown = registered or "not tried"
            yield bad(about, f"not registered: {shown}", "Check its user name and password; ask the carrier")


def strangers(opened: Here) -> Iterator[Finding]:
    """Addresses whose calls were refused because no trunk has them: often the carrier's second address."""
    from dialplan.render import place_of

    try:
        with (place_of(opened.settings).logs / "messages").open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _LOG_BYTES))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return
    for address, count in refused_addresses(text).most_common(_SHOWN):
        yield warn(
            "strangers",
            f"{count} call(s) from {address} were refused: no trunk has this address",
            f"If it is your carrier: leaseline trunk change NAME --match {address}; else block it",
        )


def refused_addresses(log: str) -> Counter[str]:
    """How often each address was refused an INVITE, from Asterisk's log (pjsip_distributor.c's wording)."""
    refused = r"Request 'INVITE' from .* failed for '(.+?):\d+' .*No matching endpoint found"
    return Counter(re.findall(refused, log))


def endpoint_states(listing: str) -> dict[str, str]:
    """Each endpoint's state from the console's `pjsip show endpoints`."""
    return dict(re.findall(r"^ Endpoint:\s+([^\s/]+)\S*\s+(\S.*?)\s+\d+ of ", listing, flags=re.MULTILINE))


def _reached(name: str, about: str, kind: str, endpoints: dict[str, str]) -> Finding:
    state = endpoints.get(name)
    if state is None:
        return bad(about, "Asterisk does not know it", "Run `leaseline apply`")
    if state not in _UNREACHABLE:
        return ok(about, "reachable")
    if kind == "phone":
        return warn(
            about, "no phone is registered", "Check the phone's user name, password and server address"
        )
    return bad(about, "does not answer our OPTIONS", "Check host, port and the firewall on both sides")


def _expected(opened: Here) -> list[tuple[str, str, str]]:
    """(endpoint, what people call it, kind) of everything Asterisk should know."""
    import sqlalchemy as sa

    from tracker.models import Target, TargetKind, Trunk

    with opened.database.read() as session:
        on = sa.select(Trunk).where(Trunk.retired_at.is_(None))
        trunks = session.scalars(on.order_by(Trunk.name)).all()
        targets = session.scalars(
            sa.select(Target).where(Target.kind != TargetKind.OUTSIDE).order_by(Target.name)
        ).all()
    return [
        *((f"trunk-{each.id}", f"trunk {each.name}", each.kind.value) for each in trunks),
        *((f"target-{each.id}", f"target {each.name}", each.kind.value) for each in targets),
    ]


def _asterisk_runs(opened: Here) -> bool:
    from dialplan.apply import running
    from dialplan.render import place_of

    return running(place_of(opened.settings))
