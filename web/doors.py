"""The ways in and out: log-in, one-time link, log-out."""

from __future__ import annotations

import re

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from tracker import logins, people
from tracker.errors import Rejected
from tracker.policy.access import PASSWORD_SHORTEST
from web.house import house
from web.public import public
from web.refusals import translated
from web.security import form_cookie, set_cookie
from web.viewer import client, cookie_name, viewer, wants_json

doors = Blueprint("doors", __name__)

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
    match result:
        case logins.LoggedIn():
            return _welcome(result.token, _own_path(request.form.get("next")))
        case logins.WrongPassword():
            return _again(WRONG, 401, email)
        case logins.TooManyTries(wait_seconds=wait):
            too_many = Rejected("login.too_many", "Too many tries", f"Wait {wait} s and try again")
            response = _again(too_many, 429, email)
            response.headers["Retry-After"] = str(wait)
            return response


@doors.get("/link/<token>")
@public
def link(token: str) -> Response:
    """Asks for the password; looking does not use the link up, so that a mail preview does no harm."""
    with house().database.read() as session:
        user = people.open_link(session, token, house().clock()).user
        return _ask_password(user.password_hash is None, user.email, None, 200)


@doors.post("/link/<token>")
@public
def use_link(token: str) -> Response:
    """Sets the password, ends the link, logs in."""
    at, password, email = house().clock(), request.form.get("password", ""), request.form.get("email")
    with house().database.read() as session:
        user = people.open_link(session, token, at).user
    first = user.password_hash is None
    try:
        people.check_new_password(password, email or user.email)
        hashed = people.hash_password(password)
        with house().database.write() as session:
            user = people.use_link(session, token, hashed, at, email if first else None)
            cookie = logins.start_session(session, user, client(), at)
    except Rejected as problem:
        if problem.id == "link.ended":
            raise
        return _ask_password(first, email or user.email, problem, 400)
    return _welcome(cookie, "/")


@doors.post("/logout")
def logout() -> Response:
    """Ends this browser's session, here and in the database."""
    with house().database.write() as session:
        logins.end_session(session, viewer().token, viewer().email, house().clock())
    response = redirect("/login")
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


def _ask_password(first: bool, email: str, problem: Rejected | None, status: int) -> Response:
    shown = "" if email == people.FIRST_EMAIL else email
    return make_response(
        render_template("link.html", first=first, email=shown, problem=problem, shortest=PASSWORD_SHORTEST),
        status,
    )


def _own_path(after: str | None) -> str:
    """A path of this site to go on to; anything that could lead elsewhere becomes the start page."""
    if after and re.fullmatch(r"/(?![/\\])[A-Za-z0-9/_.?&=%~-]*", after):
        return after
    return "/"
