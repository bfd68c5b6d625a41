"""The ways in and out: log-in, one-time link, log-out."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from tracker import logins, people, second_factor
from tracker.errors import Rejected
from tracker.models import User
from tracker.policy.access import PASSWORD_SHORTEST
from web import pending, switcher
from web.errors import STATUS
from web.house import house
from web.public import public
from web.refusals import translated
from web.security import form_cookie, set_cookie
from web.viewer import client, cookie_name, viewer, wants_json

doors = Blueprint("doors", __name__)

LATE = Rejected("login.late", "The log-in took too long", "Begin again with your password")
WRONG = Rejected("login.wrong", "E-mail or password is wrong", "Try again, or ask for a one-time link")


@doors.get("/login")
@public
def login() -> str:
    return render_template("login.html", after=_own_path(request.args.get("next")), email="", problem=None)


@doors.post("/login")
@public
def try_login() -> Response:
    """Logs in, or says that it is wrong (401) or too soon (429); never which part is wrong."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    result = logins.log_in(house().database, email, password, client(), house().clock())
    after = _own_path(request.form.get("next"))
    match result:
        case logins.LoggedIn():
            return _welcome(result.token, after)
        case logins.CodeNeeded():
            more = "" if after == "/" else "?" + urlencode({"next": after})
            response = redirect("/login/code" + more, 303)
            pending.keep(response, result.pending)
            return response
        case logins.WrongPassword():
            return _again(WRONG, 401, email)
        case logins.TooManyTries(wait_seconds=wait):
            return _too_many(_again(logins.too_many(wait), 429, email), wait)


@doors.get("/login/code")
@public
def code() -> Response:
    """Asks for a code of the second factor; who has not given a password here is sent to do so."""
    if pending.kept() is None:
        return redirect("/login")
    return _ask_code(None, 200)


@doors.post("/login/code")
@public
def try_code() -> Response:
    """Logs in with a code of the phone or a recovery code: 401 for a wrong one, 429 for too many tries."""
    waiting = pending.kept()
    result: logins.LoggedIn | logins.WrongCode | logins.TooManyTries | logins.PendingEnded
    result = logins.PendingEnded()
    if waiting is not None:
        given = request.form.get("code", "")
        result = logins.show_code(house().database, waiting, given, client(), house().clock())
    match result:
        case logins.LoggedIn():
            response = _welcome(result.token, _own_path(request.form.get("next")))
            pending.forget(response)
            return response
        case logins.WrongCode():
            return _ask_code(second_factor.wrong_code(), 401)
        case logins.TooManyTries(wait_seconds=wait):
            return _too_many(_ask_code(logins.too_many(wait), 429), wait)
        case logins.PendingEnded():
            response = _again(LATE, 401, "")
            pending.forget(response)
            return response


@doors.get("/link/<token>")
@public
def link(token: str) -> Response:
    """Asks for the password; looking does not use the link up, so that a mail preview does no harm."""
    with house().database.read() as session:
        user = people.open_link(session, token, house().clock()).user
    return _ask_password(user, user.email, None, 200)


@doors.post("/link/<token>")
@public
def use_link(token: str) -> Response:
    """Sets the password, ends the link, logs in; asks for a code of who has a second factor."""
    at, form = house().clock(), request.form
    with house().database.read() as session:
        user = people.open_link(session, token, at).user
    email = form.get("email") if user.password_hash is None else None
    try:
        cookie = logins.log_in_by_link(
            house().database, token, form.get("password", ""), client(), at, code=form.get("code", ""),
            email=email,
        )  # fmt: skip
    except Rejected as problem:
        if problem.id == "link.ended":
            raise
        return _ask_password(user, email or user.email, problem, STATUS.get(problem.id, 400))
    return _welcome(cookie, "/")


@doors.post("/logout")
def logout() -> Response:
    """Ends this browser's session, here and in the database."""
    with house().database.write() as session:
        logins.end_session(session, viewer().token, viewer().email, house().clock())
    response = redirect("/login")
    switcher.forget(response)
    response.delete_cookie(cookie_name(), path="/", secure=house().settings.cookie_secure, httponly=True)
    return response


def _welcome(token: str, after: str) -> Response:
    response = redirect(after, 303)
    set_cookie(response, cookie_name(), token, house().settings.session_days * 86400)  # type: ignore[arg-type]
    response.delete_cookie(form_cookie(), path="/", secure=house().settings.cookie_secure, httponly=True)
    return response


def _again(problem: Rejected, status: int, email: str) -> Response:
    if wants_json():
        said = translated(problem)
        shape = {"id": said.id, "message": said.message, "fix": said.fix}
        return make_response({"error": shape}, status)
    after = _own_path(request.form.get("next"))
    return make_response(
        render_template("login.html", after=after, email=email[:200], problem=problem), status
    )


def _ask_code(problem: Rejected | None, status: int) -> Response:
    if problem and wants_json():
        raise problem
    after = _own_path(request.values.get("next"))
    return make_response(render_template("code.html", after=after, problem=problem), status)


def _ask_password(user: User, email: str, problem: Rejected | None, status: int) -> Response:
    shown = "" if email == people.FIRST_EMAIL else email
    page = render_template(
        "link.html", first=user.password_hash is None, email=shown, problem=problem,
        shortest=PASSWORD_SHORTEST, second_factor=user.totp_at is not None,
    )  # fmt: skip
    return make_response(page, status)


def _too_many(response: Response, wait_seconds: int) -> Response:
    response.headers["Retry-After"] = str(wait_seconds)
    return response


def _own_path(after: str | None) -> str:
    """A path of this site to go on to; anything that could lead elsewhere becomes the start page."""
    if after and re.fullmatch(r"/(?![/\\])[A-Za-z0-9/_.?&=%~-]*", after):
        return after
    return "/"
