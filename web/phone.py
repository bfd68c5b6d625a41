"""Setting up a phone by a link: its page, and the account that Linphone fetches, each of them once.

Opening the page gives nothing away: mail scanners and messengers look at links before people do.
"""

from __future__ import annotations

import segno
from flask import Blueprint, make_response, render_template
from markupsafe import Markup
from werkzeug.wrappers import Response

from tracker import provisioning
from tracker.errors import Rejected
from tracker.policy.phone_account import PhoneAccount, account_line, linphone_xml
from web.house import house
from web.public import public
from web.shared import apart, brake, over
from web.viewer import client_address

pages = Blueprint("phone", __name__)


@pages.get("/phone/<token>")
@public
def show(token: str) -> Response:
    """A code that Linphone reads, and a button that shows the account once, for every other phone."""
    try:
        brake()
        with house().database.read() as session:
            _, target = provisioning.find_link(session, token, house().clock())
            name = target.name
    except Rejected as problem:
        return over(problem)
    return _page(name=name, qr=qr(f"{provisioning.address_of(house().settings, token)}/linphone.xml"))


@pages.post("/phone/<token>")
@public
def reveal(token: str) -> Response:
    """The account in plain words; the link opens nothing any more."""
    try:
        account = _serve(token)
    except Rejected as problem:
        return over(problem)
    return _page(name=account.name, account=account, line=account_line(account))


@pages.get("/phone/<token>/linphone.xml")
@public
def linphone(token: str) -> Response:
    """The account as Linphone fetches it; the link opens nothing any more."""
    account = _serve(token)
    answer = make_response(linphone_xml(account))
    answer.headers["Content-Type"] = "application/xml; charset=utf-8"
    answer.headers["Cache-Control"] = "no-store"
    return apart(answer)


def qr(text: str) -> Markup:
    """The code as SVG: dark on white in the dark, too, or phones do not read it."""
    made = segno.make(text, error="m", micro=False)
    return Markup(made.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704  (segno's own)


def _serve(token: str) -> PhoneAccount:
    brake()
    with house().database.write() as session:
        return provisioning.serve(session, house().clock(), client_address(), house().settings, token)


def _page(**more: object) -> Response:
    answer = make_response(render_template("phone.html", **more))
    answer.headers["Cache-Control"] = "no-store"
    return apart(answer)
