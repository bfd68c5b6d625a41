"""What came in by an inlet in words: what became of it, row by row; how messages are signed."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from tracker.policy.inlets import Became, What
from tracker.policy.signatures import Signature
from tracker.policy.worth import Category
from web.words import CATEGORIES

SIGNATURES = {
    Signature.STANDARD: _("Standard Webhooks"),
    Signature.HUBSPOT: _("HubSpot, version 3"),
    Signature.SHA256_BASE64: _("HMAC-SHA256 in a header, base64"),
    Signature.SHA256_HEX: _("HMAC-SHA256 in a header, hexadecimal"),
    Signature.SHA1_BASE64: _("HMAC-SHA1 in a header, base64"),
    Signature.SHA1_HEX: _("HMAC-SHA1 in a header, hexadecimal"),
    Signature.TOKEN_HEADER: _("A fixed text in a header"),
    Signature.TOKEN_QUERY: _("A fixed text in the address"),
    Signature.TOKEN_FIELD: _("A fixed text in a field of the message"),
}
BECAME = {
    Became.TAKEN: (_("Taken"), "good"),
    Became.NOTHING: (_("Nothing new"), ""),
    Became.REFUSED: (_("Refused"), "bad"),
}
RESULTS = {
    What.CATEGORY: _("The call is judged: %(about)s"),
    What.CATEGORY_SAME: _("The call was judged so before: %(about)s"),
    What.CATEGORY_KEPT: _("A person has judged the call, which stays: %(about)s"),
    What.NO_CALL: _("No call is known of %(about)s"),
    What.SALE: _("New sale %(about)s"),
    What.SALE_CHANGED: _("Sale %(about)s was changed"),
    What.SALE_SAME: _("Sale %(about)s is there already"),
    What.SALE_NEVER: _("What was cancelled was never sold: %(about)s"),
    What.RESPONSIBLE: _("%(about)s is responsible for the caller now"),
    What.RESPONSIBLE_SAME: _("%(about)s was responsible for the caller before"),
    What.RESPONSIBLE_GONE: _("Nobody is responsible for the caller any more"),
    What.PERSON_UNKNOWN: _("“%(about)s” is no target of the company’s"),
    What.STATUS_UNKNOWN: _("The status “%(about)s” means nothing here"),
    What.BAD_PHONE: _("“%(about)s” is no telephone number"),
    What.EMPTY: _("Nothing stands where it is looked for"),
}
_TAKEN_BACK = _("taken back")
NOBODY = _("Nobody was responsible for the caller before")


def install(app: Flask) -> None:
    app.jinja_env.globals.update(result_words=result_words, arrival_problem=arrival_problem)


def result_words(result: dict[str, Any]) -> str:
    """What became of one thing that was told."""
    what, about = What(result["what"]), result.get("about", "")
    if what in {What.CATEGORY, What.CATEGORY_SAME, What.CATEGORY_KEPT}:
        about = str(_TAKEN_BACK if about == "none" else CATEGORIES[Category(about)].word)
    if what is What.RESPONSIBLE_SAME and not about:
        return str(NOBODY)
    return str(RESULTS[what]) % {"about": about}


def arrival_problem(problem: str) -> str:
    """Why a message was refused, in the page's language where the catalogue has the sentence."""
    return gettext(problem)
