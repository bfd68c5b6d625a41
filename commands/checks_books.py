"""What doctor looks at in the books: the database, numbers, the spool, refused calls, recordings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from commands.context import Here
from commands.findings import Finding, State, bad, ok, some, warn

_LATE_SECONDS = 10
_SHORTEST_NUMBER = 7  # digits; less is an extension or an account
_SHOWN = 5


def database(opened: Here) -> Iterator[Finding]:
    """It answers, and has the schema of this Leaseline."""
    import sqlalchemy as sa

    import migrations
    from commands.schema import misfit

    unchecked = opened.unchecked_database
    with unchecked.read() as session:
        session.execute(sa.select(1))
    shown = unchecked.url.render_as_string(hide_password=True)
    revision = migrations.current(opened.settings.database_url)
    if revision is None:
        yield warn("database", f"{shown} is empty", "The next command makes the tables, `leaseline up` too")
    elif revision != migrations.head():
        no = misfit(revision)
        yield bad("database", no.message, no.fix)
    else:
        yield ok("database", f"{shown}, schema {revision}")
    if unchecked.is_sqlite:
        with unchecked.read() as session:
            told = session.scalar(sa.text("PRAGMA quick_check"))
        if told != "ok":
            yield bad("database", f"damaged: {told}", "Restore the newest backup: `leaseline restore FILE`")


def secrets(opened: Here) -> Iterator[Finding]:
    """This installation's key opens every password and token of the database, and all are sealed."""
    from tracker.rekeying import look
    from tracker.vault import Vault

    with opened.database.read() as session:
        found = look(session, Vault(opened.settings.secret_key))
    if found.shut:
        told = ", ".join(f"{number} of {column}" for column, number in sorted(found.shut.items()))
        yield bad(
            "secrets", f"sealed with another secret_key: {told}",
            "Set the secret_key of before, or seal them anew: `leaseline secrets rekey --old-key-file FILE`;"
            " if it is lost, type them anew",
        )  # fmt: skip
    if found.plain:
        told = ", ".join(f"{number} of {column}" for column, number in sorted(found.plain.items()))
        yield warn("secrets", f"stand in the database unsealed: {told}", "Run `leaseline db upgrade`")
    if not (found.shut or found.plain):
        yield ok("secrets", f"{sum(found.opened.values())} are sealed, and this key opens them")


def numbers(opened: Here) -> Iterator[Finding]:
    """Every number that is answered rings somewhere."""
    import sqlalchemy as sa

    from tracker.forwarding import ways
    from tracker.models import Number, NumberState

    with opened.database.read() as session:
        wanted = (
            sa.select(Number.id, Number.e164).where(Number.state != NumberState.RETIRED).order_by(Number.e164)
        )
        rows = session.execute(wanted).all()
        rings = ways(session)
    if not rows:
        yield warn("numbers", "there is none yet", "Add one: `leaseline number add`")
        return
    if silent := [row.e164 for row in rows if not rings[row.id]]:
        yield bad(
            "numbers",
            f"nobody rings for {some(silent)}",
            "Say who does: `leaseline forward set TARGET` (company), or with --number",
        )
    else:
        yield ok("numbers", f"{len(rows)} answered, each rings somewhere")


def spool(opened: Here) -> Iterator[Finding]:
    """Asterisk can write it, the worker keeps up, nothing in it was incomprehensible."""
    import os

    import sqlalchemy as sa

    from tracker.importer import behind_seconds
    from tracker.models import QuarantinedLine

    folder = opened.settings.spool / "calls"
    if not folder.is_dir():
        yield warn("spool", f"{folder} is not there yet", "`leaseline apply` makes it")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield bad("spool", f"{folder} cannot be written", "Give it to the account Asterisk runs as")
    with opened.database.read() as session:
        behind = behind_seconds(session, folder, opened.settings.node, opened.now)
    if behind > _LATE_SECONDS:
        yield bad("spool", f"its oldest unread line waits for {behind:.0f} s", "See `leaseline logs worker`")
    else:
        yield ok("spool", "read to the end" if not behind else f"{behind:.1f} s behind")
    ours = QuarantinedLine.node.not_like("watch:%")  # the others are those of phone systems beside us
    with opened.database.read() as session:
        count = session.scalar(sa.select(sa.func.count()).where(ours))
        newest = session.scalar(
            sa.select(QuarantinedLine).where(ours).order_by(QuarantinedLine.id.desc()).limit(1)
        )
    if count and newest:
        yield warn(
            "spool lines",
            f"{count} could not be understood, the last in {newest.name}: {newest.problem}",
            "They are kept in the database (quarantined_lines); please report one",
        )


def folders(opened: Here) -> Iterator[Finding]:
    """The folders of phone systems beside us can be read, and their lines understood."""
    import sqlalchemy as sa

    from tracker.cdr_files import node_of
    from tracker.models import CallFolder, QuarantinedLine

    with opened.database.read() as session:
        for row in session.scalars(sa.select(CallFolder).order_by(CallFolder.id)):
            name = f"calls of {row.system}"
            wanted = sa.select(QuarantinedLine).where(QuarantinedLine.node == node_of(row.id))
            newest = session.scalar(wanted.order_by(QuarantinedLine.id.desc()).limit(1))
            if row.problem:
                yield bad(name, row.problem, "Let the worker read it; see `leaseline import watched`")
            if newest is not None:
                message = f"{row.bad} lines are no calls, the last in {newest.name}: {newest.problem}"
                yield warn(name, message, "They are kept in the database (quarantined_lines)")
            if row.strange and not row.calls:
                message = f"none of its calls is to a number entered here, the last to {row.strange}"
                yield warn(name, message, "Enter them: `leaseline number add`; or see --column did=TITLE")
            elif not row.problem and newest is None:
                yield ok(name, f"{row.calls} taken, {row.left_out} lines left out")


def refusals(opened: Here) -> Iterator[Finding]:
    """Calls turned away in the last day: most often a number nobody added."""
    import sqlalchemy as sa

    from tracker.models import Refusal

    since = opened.now - timedelta(days=1)
    grouped = (
        sa.select(Refusal.did, Refusal.reason, Refusal.trunk_id, sa.func.count().label("count"))
        .where(Refusal.at > since, Refusal.target_id.is_(None))  # not calls of ours that may not go out
        .group_by(Refusal.did, Refusal.reason, Refusal.trunk_id)
        .order_by(sa.desc("count"), Refusal.did)
        .limit(_SHOWN)
    )
    with opened.database.read() as session:
        rows = session.execute(grouped).all()
    if not rows:
        yield ok("refused calls", "none in the last day")
    for row in rows:
        did = "".join(each if each.isprintable() else "?" for each in row.did)
        if row.trunk_id is not None and row.reason == "unknown_number":
            message = f"the provider sent {row.count} call(s) to {did}, which is no number here"
            yield warn("refused calls", message, _what_to_do(did))
        else:
            message = f"{row.count} call(s) to {did} were turned away: {row.reason.replace('_', ' ')}"
            yield warn(
                "refused calls", message, "Strangers try every open SIP port; a firewall keeps them out"
            )


def _what_to_do(did: str) -> str:
    if len(did.lstrip("+")) < _SHORTEST_NUMBER:
        return "That is no whole number: have the provider send the number dialled in the request or in To"
    return f"If it is yours: leaseline number add {did}"


def reports(opened: Here) -> Iterator[Finding]:
    """Saved reports reach those they are sent to."""
    from tracker.alert_facts import read_reports
    from tracker.policy import alerts
    from tracker.policy.alert_words import words_for

    with opened.database.read() as session:
        found = read_reports(session, opened.now)
    late = [it for it in found if it.state is alerts.State.BAD]
    for it in late:
        words = words_for(it.kind, it.name, it.detail)
        yield bad("saved reports", words.title, f"{words.advice} See `{words.command}`")
    if not late:
        yield ok("saved reports", f"{len(found)} on their way" if found else "every mail went out")


def recordings(opened: Here) -> Iterator[Finding]:
    """What the recordings folder says about itself."""
    from recordings.check import check

    for each in check(opened.database, opened.settings, opened.now):
        yield Finding(each.name, State.OK if each.ok else State.WARN, each.message, each.fix)
