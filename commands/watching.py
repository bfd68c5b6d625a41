"""What the worker looks at once a minute to see whether somebody should be told, and how it tells."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.context import Here
    from tracker.policy.installation_alerts import Machine, TrunkSight
    from tracker.worker import Job

log = logging.getLogger("leaseline.alerts")

EVERY_SECONDS = 60.0
HABITS_EVERY = timedelta(minutes=30)
UNREACHABLE = "Unavailable"  # an endpoint whose contacts do not answer OPTIONS


def alert_jobs(watch: Watch) -> Sequence[Job]:
    """Alerts begin and end."""
    from tracker.worker import Job

    return (Job("alerts", EVERY_SECONDS, watch.take_turn),)


def telling_jobs(opened: Here) -> Sequence[Job]:
    """Messages go out."""
    from tracker import outbox
    from tracker.sender import Sender
    from tracker.worker import Job
    from web.catalogues import translator

    sender = Sender(opened.database, opened.settings, lambda: opened.now, translator=translator)

    def forget() -> None:
        with opened.database.write() as session:
            outbox.forget_old(session, opened.now)

    return (Job("messages", 1.0, sender.take_turn), Job("old messages", 86400.0, forget))


def report_jobs(opened: Here) -> Sequence[Job]:
    """Reports go out at their times."""
    from tracker.report_schedules import QUEUE
    from tracker.report_sender import ReportSender
    from tracker.worker import Job
    from web.catalogues import translator

    sender = ReportSender(opened.database, opened.settings, lambda: opened.now, translator=translator)

    def forget() -> None:
        with opened.database.write() as session:
            QUEUE.forget_old(session, opened.now)

    return (Job("reports", 1.0, sender.take_turn), Job("old reports", 86400.0, forget))


def message_jobs(opened: Here) -> Sequence[Job]:
    """What callers left is mailed to those whom the plan names."""
    from tracker.message_sender import MessageSender
    from tracker.messages import QUEUE
    from tracker.worker import Job
    from web.catalogues import translator

    sender = MessageSender(opened.database, opened.settings, lambda: opened.now, translator=translator)

    def forget() -> None:
        with opened.database.write() as session:
            QUEUE.forget_old(session, opened.now)

    return (Job("callers' messages", 1.0, sender.take_turn), Job("old callers' messages", 86400.0, forget))


def delivery_jobs(opened: Here) -> Sequence[Job]:
    """Calls are told to destinations."""
    from tracker import deliveries
    from tracker.postman import Postman
    from tracker.worker import Job
    from web.catalogues import translator

    postman = Postman(opened.database, opened.settings, lambda: opened.now, translator=translator)

    def forget() -> None:
        with opened.database.write() as session:
            deliveries.forget_old(session, opened.now)

    return (Job("deliveries", 0.5, postman.take_turn), Job("old deliveries", 86400.0, forget))


class Watch:
    """Takes turns. How often in a row something was bad is forgotten with the process: it is counted anew."""

    def __init__(self, opened: Here) -> None:
        self._opened = opened
        self._streaks: Mapping[str, int] = {}
        self._habits_at: datetime | None = None
        self.seen: Machine | None = None  # of the last turn

    def take_turn(self) -> None:
        """Look, decide, write down, all of it in one transaction but the looking."""
        from tracker import alert_facts, alerts

        opened, now = self._opened, self._opened.now
        self.seen = seen = look(opened)
        habits = self._habits_at is None or now - self._habits_at >= HABITS_EVERY
        low_mb = opened.settings.alert_disk_mb
        with opened.database.read() as session:
            readings, complete = alert_facts.read_all(session, seen, now, disk_low_mb=low_mb)
            if habits:
                readings += alert_facts.read_habits(session, now)
        with opened.database.write() as session:
            turn = alerts.take_turn(session, readings, complete, self._streaks, now)
        self._streaks = turn.streaks
        self._habits_at = now if habits else self._habits_at
        if turn.begun or turn.ended:
            log.warning("%d alert(s) began, %d ended", turn.begun, turn.ended)


def look(opened: Here) -> Machine:
    """This machine: its disk, its spool, its call server, what its Asterisk says of the trunks."""
    from recordings.finish import free_bytes
    from tracker.importer import behind_seconds
    from tracker.live import agi_answers
    from tracker.policy.installation_alerts import Machine

    settings = opened.settings
    with opened.database.read() as session:
        behind = behind_seconds(session, settings.spool / "calls", settings.node, opened.now)
    return Machine(
        node=settings.node,
        disk_free_mb=free_bytes(settings.recordings_folder) >> 20,
        behind_seconds=behind,
        agi_answers=agi_answers(settings.agi_host, settings.agi_port, 3.0),
        trunks=trunks_seen(opened),
    )


def trunks_seen(opened: Here, states: Mapping[str, str] | None = None) -> tuple[TrunkSight, ...] | None:
    """What Asterisk says of its trunks; None where it cannot be asked: that is no word about them.

    `states` are those of its endpoints, for who has just asked.
    """
    import sqlalchemy as sa

    from dialplan.apply import running
    from dialplan.render import place_of
    from tracker.errors import Rejected
    from tracker.models import Trunk

    if not running(place_of(opened.settings)):
        return None
    with opened.database.read() as session:
        on = sa.select(Trunk.id, Trunk.name, Trunk.kind).where(Trunk.retired_at.is_(None))
        rows = session.execute(on.order_by(Trunk.name)).all()
    if not rows:
        return ()
    try:
        states = endpoints(opened) if states is None else states
        logged_in = _logged_in(opened) if any(row.kind == "registration" for row in rows) else set()
    except (Rejected, OSError, RuntimeError) as problem:
        log.warning("Asterisk was not asked about its trunks: %s", problem)
        return None
    return tuple(
        trunk_sight(row.id, row.name, row.kind, states, logged_in)
        for row in rows
        if f"trunk-{row.id}" in states  # one that is not applied yet is no trunk that is down
    )


def trunk_sight(
    trunk_id: int, name: str, kind: str, endpoints: Mapping[str, str], logged_in: set[str]
) -> TrunkSight:
    """A trunk by its endpoint's state, and whether we are logged in where it wants that."""
    from tracker.policy.installation_alerts import TrunkSight

    endpoint = f"trunk-{trunk_id}"
    if endpoints[endpoint] == UNREACHABLE:
        return TrunkSight(trunk_id, name, "silent")
    barred = kind == "registration" and endpoint not in logged_in
    return TrunkSight(trunk_id, name, "unregistered" if barred else None)


def endpoints(opened: Here) -> dict[str, str]:
    """The state of each trunk and target by its name in Asterisk. Raises Rejected when nobody answers."""
    from commands.checks_asterisk import endpoint_states
    from dialplan.apply import command
    from dialplan.program import find_program
    from dialplan.render import place_of

    listing = command(find_program(opened.settings), place_of(opened.settings), "pjsip show endpoints")
    return endpoint_states(listing)


def _logged_in(opened: Here) -> set[str]:
    """The trunks' endpoints whose registration is in force."""
    from agi.oneshot import ask

    return {
        row["ObjectName"]
        for row in ask(opened.settings, "PJSIPShowRegistrationsOutbound")
        if row.get("Event") == "OutboundRegistrationDetail" and row.get("Status") == "Registered"
    }
