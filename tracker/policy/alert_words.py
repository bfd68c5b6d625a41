"""Alerts in words: what is wrong, what to do, and the command that tells more.

English stands here, as in the whole code; the page translates it (`N_` marks what it does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.policy.alerts import AlertKind


def N_(text: str) -> str:  # noqa: N802  (gettext's word for "to be translated later")
    return text


# Of an e-mail.
BEGAN = N_("Began: %(at)s")
ENDED = N_("Over: %(at)s")
OVER = N_("Over: %(title)s")
TEST = N_("A test of alerts")
TEST_TEXT = N_("This is a test: alerts of Leaseline reach you here.")


@dataclass(frozen=True)
class Words:
    """Templates for an alert's `name` and figures; `command` is for whoever runs the installation."""

    title: str
    advice: str
    command: str


WORDS: Mapping[tuple[AlertKind, str], Words] = {
    (AlertKind.POOL_LOW, ""): Words(
        N_("Pool %(name)s is running out: %(free)s of %(size)s free, visitors without a number: %(misses)s"),
        N_("Visitors without one see your own number, and their calls have no source. Add numbers to it."),
        'leaseline pool advise "%(name)s"',
    ),
    (AlertKind.MISSED_CALLS, ""): Words(
        N_("Calls in a row that nobody took, %(name)s: %(count)s"),
        N_("See who should have answered and whether the phones are on, and call the callers back."),
        "leaseline calls list --outcome missed",
    ),
    (AlertKind.SILENT_NUMBER, ""): Words(
        N_("Days without a call to %(name)s: %(days)s. Calls a week before that: %(weekly)s"),
        N_("Call it. If it does not ring, ask the carrier; if it does, look at where people should see it."),
        "leaseline number show %(name)s",
    ),
    (AlertKind.REPORT_UNSENT, "waiting"): Words(
        N_("Report %(name)s has not reached %(to)s yet: %(answer)s"),
        N_("It is tried again for a day; Saved reports say when. Put right what was answered until then."),
        "leaseline saved list --company %(company)s",
    ),
    (AlertKind.REPORT_UNSENT, "given_up"): Words(
        N_("Report %(name)s did not reach %(to)s: %(answer)s"),
        N_("It is not tried again. Put right what was answered, and press Send now under Saved reports."),
        "leaseline saved list --company %(company)s",
    ),
    (AlertKind.CALLBACK_LATE, "late"): Words(
        N_("Late callbacks of %(name)s in the last hour: %(count)s; 95 of 100 rang within %(seconds)s s"),
        N_("Promised is a minute. See under Callbacks who still waits, and whether your phones are reached."),
        "leaseline callback list --company %(company)s",
    ),
    (AlertKind.CALLBACK_LATE, "lost"): Words(
        N_("Callbacks of %(name)s that came to nothing, in the last hour: %(count)s"),
        N_("Callbacks says why. Call these visitors yourselves, and have more phones ring."),
        "leaseline callback list --company %(company)s",
    ),
    (AlertKind.DESTINATION_FAILING, "failing"): Words(
        N_("%(name)s does not take calls: %(answer)s. Waiting: %(count)s"),
        N_("Nothing is lost: it is tried again and again. Send a test under Destinations, and put it right."),
        "leaseline destination test --company %(company)s \"%(name)s\"",
    ),
    (AlertKind.DESTINATION_FAILING, "shut_out"): Words(
        N_("%(name)s does not let us in: %(answer)s. Waiting: %(count)s"),
        N_("Nothing is lost. Connect it under Destinations; what waits is told then."),
        "leaseline destination connect --company %(company)s \"%(name)s\"",
    ),
    (AlertKind.DESTINATION_FAILING, "gone"): Words(
        N_("%(name)s wants no more calls: %(answer)s"),
        N_("It is told nothing any more. Delete it under Destinations, or save it there anew."),
        "leaseline destination show --company %(company)s \"%(name)s\"",
    ),
    (AlertKind.TRUNK_DOWN, "silent"): Words(
        N_("Trunk %(name)s does not answer"),
        N_("Calls over this carrier may not arrive. Look at firewall and address, and ask the carrier."),
        "leaseline doctor",
    ),
    (AlertKind.TRUNK_DOWN, "unregistered"): Words(
        N_("Trunk %(name)s does not let us log in"),
        N_("Calls over this carrier do not arrive. Look at its user name and password, and ask the carrier."),
        "leaseline doctor",
    ),
    (AlertKind.NODE_AWAY, "silent"): Words(
        N_("The call server of %(name)s is silent"),
        N_("Calls ring on and are written down; calls going on are not shown. See why it stopped."),
        "leaseline logs agi",
    ),
    (AlertKind.NODE_AWAY, "unconnected"): Words(
        N_("Asterisk of %(name)s cannot be reached"),
        N_("If it has stopped, nobody can call. See whether it runs, and start it."),
        "leaseline status",
    ),
    (AlertKind.AGI_FAILING, "silent"): Words(
        N_("The call server of %(name)s does not answer questions"),
        N_("Calls ring by the plan rendered beforehand, and are written down a little later. Start it anew."),
        "leaseline restart agi",
    ),
    (AlertKind.AGI_FAILING, "calls"): Words(
        N_("Calls in a row on %(name)s that did not reach the call server: %(count)s"),
        N_("Calls ring by the plan rendered beforehand, and are written down a little later. Start it anew."),
        "leaseline restart agi",
    ),
    (AlertKind.DISK_FULL, ""): Words(
        N_("The disk of %(name)s is nearly full: %(free_mb)s MB free"),
        N_("Without room nothing is recorded or written down. Make room, or move the recordings."),
        "leaseline doctor",
    ),
    (AlertKind.BOOKS_BEHIND, ""): Words(
        N_("The books of %(name)s are behind the calls by %(seconds)s s"),
        N_("No call is lost, but they show late. See what holds the worker up."),
        "leaseline logs worker",
    ),
    (AlertKind.RECORDINGS_FAILING, "stuck"): Words(
        N_("Recordings on %(name)s that cannot be finished: %(count)s"),
        N_("The sound is kept and tried again. See what is wrong with the folder or with ffmpeg."),
        "leaseline doctor",
    ),
    (AlertKind.RECORDINGS_FAILING, "damaged"): Words(
        N_("Recordings on %(name)s that cannot be played, in the last hour: %(count)s"),
        N_("The originals are kept; each call's page says more. See whether Asterisk writes them whole."),
        "leaseline doctor",
    ),
}  # fmt: skip


def words_for(
    kind: AlertKind,
    name: str,
    detail: Mapping[str, Any],
    translate: Callable[[str], str] = str,
    write: Callable[[Any], str] = str,
) -> Words:
    """An alert's words, translated by `translate`, its figures and name written by `write`."""
    found = WORDS.get((kind, str(detail.get("how", "")))) or WORDS[kind, ""]
    plain = {key: f"{value}" for key, value in detail.items()} | {"name": name}
    shown = {key: write(value) for key, value in detail.items()} | {"name": write(name)}
    return Words(translate(found.title) % shown, translate(found.advice), found.command % plain)
