"""Every refusal in one shape: a page that says what to do next, or `{"error": {"id", "message", "fix"}}`."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, make_response, render_template, request
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from tracker.errors import Rejected
from web.refusals import translated
from web.rest.reading import Invalid
from web.switcher import look_wider
from web.viewer import is_for_programs, wants_json

log = logging.getLogger(__name__)

STATUS = {
    "live.busy": 503,
    "address.unknown": 404,
    "alert.unknown": 404,
    "block.unknown": 404,
    "call.unknown": 404,
    "callback.calling": 409,
    "callback.over": 409,
    "callback.refused": 409,
    "callback.robot": 403,
    "callback.unknown": 404,
    "channel.unknown": 404,
    "check.unknown": 404,
    "company.unknown": 404,
    "form.forged": 403,
    "forward.scope": 404,
    "link.ended": 410,
    "link.foreign": 403,
    "company.which": 400,
    "cost.unknown": 404,
    "hook.unknown": 404,
    "import.busy": 409,
    "inlet.duplicate": 409,
    "inlet.kind": 404,
    "inlet.many": 409,
    "inlet.signature": 401,
    "inlet.too_many": 429,
    "inlet.unknown": 404,
    "key.beyond": 403,
    "key.duplicate": 409,
    "key.scope": 403,
    "key.wrong": 401,
    "login.late": 401,
    "login.needed": 401,
    "login.too_many": 429,
    "metrics.token": 401,
    "note.unknown": 404,
    "number.unknown": 404,
    "page.malformed": 400,
    "outgoing.off": 404,
    "plan.stale": 409,
    "plan.step": 404,
    "plan.unknown": 404,
    "plan_case.unknown": 404,
    "pool.unknown": 404,
    "prompt.unknown": 404,
    "scope.unknown": 404,
    "api.too_many": 429,
    "api.unknown": 404,
    "body.type": 415,
    "etag.outdated": 412,
    "idempotency.reused": 422,
    "password.wrong": 401,
    "rate.unknown": 404,
    "key.unknown": 404,
    "recording.kind": 404,
    "recording.missing": 404,
    "responsible.unknown": 404,
    "role.last_owner": 409,
    "role.needed": 403,
    "role.too_high": 403,
    "rent.unknown": 404,
    "sale.unknown": 404,
    "saved_report.duplicate": 409,
    "saved_report.many": 409,
    "saved_report.unknown": 404,
    "schedule.unknown": 404,
    "session.unknown": 404,
    "provision.served": 410,
    "share.expired": 410,
    "share.going_on": 409,
    "share.revoked": 410,
    "share.too_many": 429,
    "share.unknown": 404,
    "site.origin": 403,
    "site.unknown": 404,
    "delivery.unknown": 404,
    "destination.duplicate": 409,
    "destination.kind": 404,
    "destination.many": 409,
    "destination.state": 403,
    "destination.unknown": 404,
    "source.unknown": 404,
    "swap.unknown": 404,
    "target.unknown": 404,
    "unrecorded.unknown": 404,
    "user.duplicate": 409,
    "user.no_role": 404,
    "trunk.unknown": 404,
    "totp.off": 409,
    "totp.on": 409,
    "totp.not_begun": 409,
    "totp.wrong": 401,
    "user.unknown": 404,
    "view.duplicate": 409,
    "view.foreign": 403,
    "view.many": 409,
    "view.unknown": 404,
    "visit.over": 410,
    "visit.token": 403,
    "visit.unknown": 404,
}
ENDINGS = {
    400: Rejected("http.malformed", "The address or form is malformed", "Go back and try again"),
    404: Rejected("http.unknown", "There is no such page", "See the calls at /calls"),
    405: Rejected("http.method", "This address is not used that way", "See the calls at /calls"),
    413: Rejected("http.too_large", "This is more than the page accepts", "Send less"),
}
NO_OPERATION = Rejected("api.unknown", "The API has no such address", "See /api/docs")
AWAY = Rejected(
    "database.away", "The books cannot be read right now; calls go on ringing", "Try again in a moment"
)
TOGETHER = Rejected(
    "database.together",
    "Somebody else changed the same thing in the same moment",
    "Look at it as it is now, and try again",
)
BROKEN = Rejected(
    "web.broken",
    "Something is wrong on our side",
    "Try again; the log of `leaseline web` has the details",
)


def install(app: Flask) -> None:
    app.register_error_handler(Rejected, _rejected)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(DataError, _unfit)
    app.register_error_handler(IntegrityError, _together)
    app.register_error_handler(Exception, _ours)


def answer(status: int, problem: Rejected) -> Response:
    """The refusal, as a page or as JSON, whichever the client reads; programs read English."""
    said = problem if is_for_programs() else translated(problem)
    if wants_json():
        told: dict[str, object] = {"error": {"id": said.id, "message": said.message, "fix": said.fix}}
        if isinstance(problem, Invalid):
            told["problems"] = problem.problems
        response = jsonify(told)
    else:
        page = render_template("error.html", status=status, message=said.message, fix=said.fix)
        response = make_response(page)
    response.status_code = status
    return response


def _rejected(error: Rejected) -> Response:
    status = STATUS.get(error.id, 400)
    if status == 404 and (found := look_wider()) is not None:
        return found  # type: ignore[return-value]
    return answer(status, error)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    kept = ("Allow", "Content-Range", "Location", "Retry-After")
    known = ENDINGS.get(status) or Rejected(f"http.{status}", error.name, "Go back and try again")
    if status == 404 and request.path.startswith("/api/v"):
        known = NO_OPERATION
    response = answer(status, known)
    response.headers.extend([pair for pair in error.get_headers() if pair[0] in kept])
    return response


def _database(error: Exception) -> Response:
    log.warning("the database did not answer: %s", error.__class__.__name__)
    response = answer(503, AWAY)
    response.headers["Retry-After"] = "5"
    return response


def _together(error: Exception) -> Response:
    """Both saw that it may be done; the database let one of them do it."""
    log.warning("two changes in the same moment: %s", error.__class__.__name__)
    return answer(409, TOGETHER)


def _unfit(error: Exception) -> Response:
    """A text with a NUL in it, which PostgreSQL cannot hold; no person types one."""
    log.warning("the database cannot hold what was sent: %s", error.__class__.__name__)
    return answer(400, ENDINGS[400])


def _ours(error: Exception) -> Response:
    """The last resort: nobody sees a traceback, the log has it whole."""
    log.exception("a request failed", exc_info=error)
    return answer(500, BROKEN)
