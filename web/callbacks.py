"""The page "Callbacks": who waits, who talked, what failed and what to do; the same for programs."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response as Redirect

from tracker import callbacks
from tracker.callback_figures import PROMISE_DAYS, promise_of
from tracker.models import CallbackReason, CallbackRequest, CallbackState
from tracker.policy.callback import CALLING
from tracker.policy.rights import Right
from web.house import house
from web.viewer import hand, viewer

pages = Blueprint("callbacks", __name__)

PAGE_SIZE = 50
STATES = {
    CallbackState.WAITING: _("Waits"),
    CallbackState.RINGING_EMPLOYEE: _("Ringing an employee"),
    CallbackState.RINGING_VISITOR: _("Ringing the visitor"),
    CallbackState.TALKED: _("Talked"),
    CallbackState.FAILED: _("Failed"),
    CallbackState.REFUSED: _("Refused"),
    CallbackState.GIVEN_UP: _("Given up"),
}
TONES = {
    CallbackState.WAITING: ("warn", "gave-up"),
    CallbackState.RINGING_EMPLOYEE: ("live", "ringing"),
    CallbackState.RINGING_VISITOR: ("live", "ringing"),
    CallbackState.TALKED: ("good", "answered"),
    CallbackState.FAILED: ("bad", "failed"),
    CallbackState.REFUSED: ("mute", "refused"),
    CallbackState.GIVEN_UP: ("bad", "missed"),
}
REASONS = {
    CallbackReason.OFF: _("The website calls nobody back: turn it on in its settings."),
    CallbackReason.MALFORMED: _("That was no telephone number."),
    CallbackReason.SHORT: _("Emergency numbers and short codes are never called."),
    CallbackReason.COUNTRY: _("A number of another country. Allow the country if you want such calls."),
    CallbackReason.PREMIUM: _("A number that costs whoever calls it."),
    CallbackReason.OWN: _("A number of your own."),
    CallbackReason.CLIENT_LIMIT: _("Too many requests from one address within an hour."),
    CallbackReason.NUMBER_LIMIT: _("Too many requests for one number within a day."),
    CallbackReason.DAY_LIMIT: _("Too many requests on this website within a day."),
    CallbackReason.COST_CAP: _("The seconds allowed a day are used up."),
    CallbackReason.HOURS: _("Nobody is there at the time that was asked for."),
    CallbackReason.NO_EMPLOYEE: _("No employee took the phone. Call yourself, or have more phones ring."),
    CallbackReason.EMPLOYEE_LEFT: _("The employee hung up before the visitor had answered."),
    CallbackReason.NO_ANSWER: _("The visitor did not answer. Try later."),
    CallbackReason.BUSY: _("The visitor’s line was busy. Try later."),
    CallbackReason.DECLINED: _("The visitor declined the call."),
    CallbackReason.UNREACHABLE: _("The carrier did not put it through. Check number and trunk."),
    CallbackReason.NO_TARGET: _("Nobody is set to be rung: say who rings in the website’s settings."),
    CallbackReason.NO_TRUNK: _("There is no carrier to call over: set one in the website’s settings."),
    CallbackReason.CLOSED: _("The plan rings nobody at this hour."),
    CallbackReason.UNKNOWN: _("Something broke off, and nobody can tell whether it rang. Call yourself."),
    CallbackReason.CANCELLED: _("Somebody called it off."),
}
# Where in a website's settings a reason is seen to.
SEEN_TO = {
    CallbackReason.OFF: "way", CallbackReason.HOURS: "way", CallbackReason.NO_TRUNK: "way",
    CallbackReason.NO_TARGET: "rings", CallbackReason.NO_EMPLOYEE: "rings", CallbackReason.CLOSED: "rings",
    CallbackReason.COUNTRY: "limits", CallbackReason.CLIENT_LIMIT: "limits",
    CallbackReason.NUMBER_LIMIT: "limits", CallbackReason.DAY_LIMIT: "limits",
    CallbackReason.COST_CAP: "limits",
}  # fmt: skip
UNREACHED = (CallbackState.GIVEN_UP, CallbackState.FAILED)
FILTERS = {
    "open": (_("Waiting"), (CallbackState.WAITING, *CALLING)),
    "talked": (_("Talked"), (CallbackState.TALKED,)),
    "failed": (_("Not reached"), UNREACHED),
    "refused": (_("Refused"), (CallbackState.REFUSED,)),
}


@pages.get("/callbacks")
def index() -> str:
    """Requests to be called back, the newest first; `show` narrows them."""
    show = request.args.get("show", "")
    states = FILTERS[show][1] if show in FILTERS else ()
    now, company_ids = house().clock(), viewer().company_ids
    with house().database.read() as session:
        rows = callbacks.listed(session, company_ids, states=states, before_id=_before(), most=PAGE_SIZE + 1)
        promise = promise_of(session, company_ids, now - timedelta(days=PROMISE_DAYS), now)
        return render_template(
            "callbacks.html",
            rows=rows[:PAGE_SIZE],
            more=rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None,
            promise=promise,
            counts={
                name: sum(promise.states.get(it, 0) for it in states) for name, (_, states) in FILTERS.items()
            },
            show=show,
            filters=FILTERS,
            states=STATES,
            tones=TONES,
            reasons=REASONS,
            may=lambda it: viewer().may(Right.JUDGE, it.company_id),
            again=lambda it: it.state in UNREACHED,
            seen_to=_seen_to,
            administered=viewer().having(Right.ADMINISTER),
        )


@pages.post("/callbacks/<callback>/cancel")
def cancel(callback: str) -> Redirect:
    """Calls off a request that waits."""
    by = hand()
    with house().database.write() as session:
        found = callbacks.get(session, viewer().company_ids, callback)
        viewer().need(Right.JUDGE, found.company_id)
        callbacks.cancel(session, by, found)
    return redirect(f"/callbacks#{callback}", 303)


@pages.post("/callbacks/<callback>/again")
def again(callback: str) -> Redirect:
    """Calls at once whoever could not be reached."""
    by = hand()
    with house().database.write() as session:
        found = callbacks.get(session, viewer().company_ids, callback)
        viewer().need(Right.JUDGE, found.company_id)
        callbacks.try_again(session, by, found)
    return redirect(f"/callbacks#{callback}", 303)


def _seen_to(it: CallbackRequest) -> str | None:
    """The address of the settings that its reason is about, for who may change them."""
    part = SEEN_TO.get(it.reason) if it.reason else None
    if part is None or not viewer().may(Right.ADMINISTER, it.company_id):
        return None
    return f"/settings/{it.company.slug}/sites/{it.site_id}/callback#{part}"


def _before() -> int | None:
    given = request.args.get("before", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else None
