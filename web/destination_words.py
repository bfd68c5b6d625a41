"""Deliveries in words: what is told, how a destination fares, why a call did not go there."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from tracker.policy.delivering import Event, Why
from tracker.whereabouts import Untold, WaitsFor

EVENTS = {
    Event.STARTED: _("A call begins"),
    Event.COMPLETED: _("A call is over"),
    Event.CATEGORISED: _("Its category is set"),
    Event.RECORDED: _("Its recording is there"),
    Event.UPDATED: _("Tags, notes or value change"),
}
WHYS = {
    Why.CONSENT: _("The visitor did not allow it"),
    Why.NOBODY: _("There is nothing to know the person by over there"),
    Why.UNWANTED: _("It does not want such calls"),
    Why.TOO_LATE: _("It was too late: it takes nothing so old"),
    Why.REFUSED: _("It was not taken"),
    Why.DISABLED: _("It wanted no more"),
}
WAITS_FOR = {
    WaitsFor.PERSON: _("The destination is paused"),
    WaitsFor.ACCESS: _("The destination is to be connected"),
    WaitsFor.ANSWER: _("The destination does not take it; it is tried again"),
    WaitsFor.CATEGORY: _("It waits for a category"),
    WaitsFor.RECORDING: _("It waits for the recording"),
    WaitsFor.CLOCK: _("The destination takes it no sooner"),
    WaitsFor.TURN: _("It is about to be sent"),
}
UNTOLD = {
    Untold.BEFORE: _("The call began before the destination was added"),
    Untold.OUTGOING: _("It is not told of calls that go out"),
    Untold.SPAM: _("It is not told of unwanted calls"),
    Untold.EVENTS: _("Nothing that it is told of has happened to the call"),
}
DELIVERY_STATES = {
    "waiting": (_("Waiting"), ""),
    "sent": (_("Delivered"), "good"),
    "not_sent": (_("Not sent"), ""),
    "failed": (_("Failed"), "bad"),
}
DESTINATION_STATES = {
    "on": (_("Works"), "good"),
    "paused": (_("Paused"), ""),
    "failing": (_("Fails"), "bad"),
    "disconnected": (_("To be connected"), "bad"),
    "disabled": (_("Wants no more"), "bad"),
}
