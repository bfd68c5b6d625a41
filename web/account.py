"""One's own account: name, language, password, the second factor, and the browsers that are logged in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import segno
from flask import Blueprint, make_response, redirect, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import account as own
from tracker import logins, people, second_factor
from tracker.errors import Rejected
from tracker.models import User
from tracker.people import token_sha256
from tracker.policy.access import PASSWORD_SHORTEST
from tracker.policy.agents import read_agent
from tracker.policy.second_factor import address_of, in_groups
from web.errors import STATUS
from web.house import house
from web.viewer import client, hand, viewer, wants_json

pages = Blueprint("account", __name__)


@pages.get("/account")
def index() -> str:
    """One's name and language, password, second factor, and browsers."""
    return _account_page()


@pages.post("/account")
def change_profile() -> Response:
    """Sets `name` and `language`; an empty language is the company's."""

    def change() -> Response:
        with house().database.write() as session:
            form = request.form
            name, language = form.get("name", ""), form.get("language") or None
            own.change_profile(session, hand(), _user(session), name=name, language=language)
        return redirect("/account", 303)

    return _beside("you", change)


@pages.post("/account/password")
def change_password() -> Response:
    """Sets `new` in place of `old`; every other browser is logged out."""

    def change() -> Response:
        new = request.form.get("new", "")
        with house().database.read() as session:
            user = _user(session)
            people.check_new_password(new, user.email, people.words_of(session, user))
        _prove(request.form.get("old", ""))
        hashed = people.hash_password(new)
        with house().database.write() as session:
            own.change_password(session, hand(), _user(session), hashed, viewer().token)
        return redirect("/account?done=password#password", 303)

    return _beside("password", change)


@pages.post("/account/second-factor")
def begin() -> Response:
    """Makes a new secret, for who knows the `password`."""

    def change() -> Response:
        _prove(request.form.get("password", ""))
        with house().database.write() as session:
            second_factor.begin(session, _user(session))
        return redirect("/account/second-factor", 303)

    return _beside("second-factor", change)


@pages.get("/account/second-factor")
def set_up() -> Response:
    """The secret as a QR code and in letters, until the first code is shown."""
    return _set_up_page(None)


@pages.post("/account/second-factor/confirm")
def confirm() -> Response:
    """Switches it on with a first `code`; the answer has the recovery codes, this once."""
    try:
        with house().database.write() as session:
            codes = second_factor.confirm(session, hand(), _user(session), request.form.get("code", ""))
    except Rejected as problem:
        if wants_json() or problem.id != "totp.wrong":
            raise
        return _set_up_page(problem)
    return make_response(render_template("recovery_codes.html", codes=codes, first=True))


@pages.post("/account/second-factor/codes")
def renew_codes() -> Response:
    """New recovery codes, for who shows `password` and `code`; the old ones end."""

    def change() -> Response:
        _prove(request.form.get("password", ""), request.form.get("code", ""))
        with house().database.write() as session:
            codes = second_factor.renew_codes(session, hand(), _user(session))
        return make_response(render_template("recovery_codes.html", codes=codes, first=False))

    return _beside("second-factor", change)


@pages.post("/account/second-factor/off")
def switch_off() -> Response:
    """Switches it off, for who shows `password` and `code`."""

    def change() -> Response:
        _prove(request.form.get("password", ""), request.form.get("code", ""))
        with house().database.write() as session:
            second_factor.switch_off(session, hand(), _user(session))
        return redirect("/account?done=off#second-factor", 303)

    return _beside("second-factor", change)


@pages.post("/account/sessions/<login>/end")
def end_session(login: str) -> Response:
    """Logs one of one's own browsers out."""
    with house().database.write() as session:
        own.end_session(session, hand(), viewer().user_id, login)
    return redirect("/account#browsers", 303)


@pages.post("/account/sessions/end")
def end_other_sessions() -> Response:
    """Logs every browser out but this one."""
    with house().database.write() as session:
        own.end_other_sessions(session, hand(), viewer().user_id, viewer().token)
    return redirect("/account#browsers", 303)


def _beside(section: str, change: Callable[[], Response]) -> Response:
    """The change; what is wrong with it is said beside the form that was sent."""
    try:
        return change()
    except Rejected as problem:
        if wants_json():
            raise
        return make_response(_account_page(section, problem), STATUS.get(problem.id, 400))


def _account_page(section: str = "", problem: Rejected | None = None) -> str:
    with house().database.read() as session:
        user = _user(session)
        return render_template(
            "account.html",
            user=user,
            sessions=logins.list_sessions(session, user.id),
            codes_left=second_factor.codes_left(session, user.id) if user.totp_at else 0,
            shortest=PASSWORD_SHORTEST,
            problem=problem,
            section=section,
            done=request.args.get("done", "") if problem is None else "",
            name_of=lambda sha256: sha256[: own.SESSION_NAME],
            here=token_sha256(viewer().token),
            browser_of=_browser,
        )


def _set_up_page(problem: Rejected | None) -> Response:
    with house().database.read() as session:
        user = _user(session)
    if user.totp_secret is None or user.totp_at is not None:
        return redirect("/account#second-factor")
    address = address_of(user.totp_secret, user.email, _issuer())
    page = render_template(
        "second_factor.html", qr=_qr(address), secret=in_groups(user.totp_secret), problem=problem
    )
    return make_response(page, STATUS.get(problem.id, 400) if problem else 200)


def _qr(text: str) -> Markup:
    """The QR code as SVG: dark on white in the dark, too, or phones do not read it; no style in it."""
    made = segno.make(text, error="m", micro=False)
    return Markup(made.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704  (segno's own)


def _issuer() -> str:
    """What the phone calls it: an agency may have several installations on one phone."""
    host = urlsplit(house().settings.web_url).hostname or ""
    return f"Leaseline {host}" if host not in {"", "localhost", "127.0.0.1"} else "Leaseline"


def _prove(password: str, code: str | None = None) -> None:
    logins.prove(house().database, viewer().user_id, password, client(), house().clock(), code=code)


def _user(session: Session) -> User:
    return session.get_one(User, viewer().user_id)


def _browser(agent: str | None) -> str:
    """ "Chrome 129, Windows 11"; what it calls itself where nobody knows it."""
    found = read_agent(agent or "")
    return ", ".join(part for part in (found.browser, found.system) if part) or (agent or "Unknown")[:60]
