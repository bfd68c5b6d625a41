"""Refusals in the page's language: what tracker/ says in English to every edge, with its values.

The sentences are in the catalogues as they stand in the code, under a context of their own. Where the advice
is for a command line or a program, what a person does at the page stands for it. English stays as it is said.
"""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _
from flask_babel import pgettext

from tracker.errors import Rejected, Said
from web.languages import language

SAID = "refusal"  # the context in the catalogues
AT_THE_PAGE = {
    "address.unknown": _("See the alerts at /alerts"),
    "alert.unknown": _("See the alerts at /alerts"),
    "call.unknown": _("Look for it in the list of calls"),
    "cost.unknown": _("See the costs at /costs"),
    "columns.malformed": _("Open the page again and choose anew"),
    "file.column": _("Call it by a title that the manual lists, or fill in the field of the form"),
    "filter.malformed": _("Take it away and choose anew"),
    "link.ended": _("Ask whoever runs this installation for a new one"),
    "link.foreign": _("Ask whoever runs this installation for the link"),
    "login.needed": _("Log in"),
    "page.malformed": _("Begin with the newest calls"),
    "rate.missing": _("Set it at /costs, or ask who administers the company"),
    "rent.unknown": _("See the rents at /costs"),
    "sale.unknown": _("See the sales at /sales"),
    "user.disabled": _("Ask whoever runs this installation"),
    "web.broken": _("Try again; whoever runs this installation finds the details in the log"),
}
# What a worker met and stored as it was said; with one place at most, each can be read in one way only.
STORED = (
    "Asterisk did not take it: %(wrong)s",
    "Nothing was changed.",
    "Nothing was changed. Correct it and apply again.",
    "It goes on with what it had. Correct it and apply again; %(logs)s/messages says more.",
    "Start it with `leaseline up`; `leaseline logs asterisk` says why it ended",
    "Look at `leaseline doctor` and `leaseline logs asterisk`.",
    "Set LEASELINE_HOME to a shorter path.",
)


def translated(problem: Rejected) -> Rejected:
    """The same refusal in the page's language; a sentence that is not in its catalogue stays English."""
    if language() == "en":
        return problem
    advice = AT_THE_PAGE.get(problem.id) or problem.advice.told(_in_its_language)
    return Rejected(problem.id, problem.said.told(_in_its_language), str(advice))


def in_words(said: Said) -> str:
    """What tracker/ said, in the page's language."""
    return said.told(_in_its_language)


def retold(text: str) -> str:
    """A sentence that was stored, in the page's language with its value; another stays as it was said."""
    if text in STORED:
        return _in_its_language(text)
    for template in STORED:
        before, place, after = re.split(r"(%\(\w+\)s|$)", template, maxsplit=1)
        if place and len(text) > len(before + after) and text.startswith(before) and text.endswith(after):
            value = text[len(before) : len(text) - len(after)]
            return _in_its_language(template) % {place[2:-2]: value}
    return text


def _in_its_language(text: str) -> str:
    return str(pgettext(SAID, text))
