"""Unwanted callers in words: what became of a call at the guard and why, and what makes a call spam."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from tracker.models import Call
from tracker.policy.block_list import Callers
from tracker.policy.facts import Guarded, GuardGround, GuardStep, Spam, SpamSaid, Treatment
from tracker.policy.phone import display
from tracker.policy.spam import RuleKind
from tracker.spam import Kept

GUARDED = {
    GuardStep.BLOCKED: _("Blocked"),
    GuardStep.CHALLENGED: _("Asked for a digit"),
    GuardStep.PASSED: _("Pressed the right digit"),
    GuardStep.FAILED: _("Did not press the right digit"),
}
TREATMENTS = {
    Treatment.BUSY: _("Busy signal"),
    Treatment.REFUSED: _("Call declined"),
    Treatment.ANNOUNCED: _("An announcement"),
    Treatment.CHALLENGED: _("Asked for a digit"),
}
GROUNDS = {
    GuardGround.RULE: _("by a rule"),
    GuardGround.MINUTE: _("many calls within a minute"),
    GuardGround.HOUR: _("many calls within an hour"),
    GuardGround.DAY: _("many calls within a day"),
    GuardGround.NUMBERS: _("several of your numbers within minutes"),
    GuardGround.SHORT: _("very short calls again and again"),
    GuardGround.COUNTRY: _("from a country no calls are expected from"),
}
SPAM = {
    Spam.BLOCKED: _("blocked"),
    Spam.FAILED: _("did not press the right digit"),
    Spam.LEFT: _("hung up when asked for a digit"),
    Spam.PERSON: _("marked by a person"),
}


def step(fact: Guarded | SpamSaid, hand_words: Callable[[str], str]) -> tuple[str, str, str]:
    """Title, detail and tone of a line in a call's story; `hand_words` says whose hand an actor is."""
    if isinstance(fact, SpamSaid):
        title, tone = (_("Marked as spam"), "warn") if fact.is_spam else (_("Marked as no spam"), "good")
        return str(title), hand_words(fact.actor), tone
    if fact.step is GuardStep.PASSED:
        return str(GUARDED[fact.step]), "", "good"
    how = TREATMENTS[fact.treatment] if fact.step is GuardStep.BLOCKED else GROUNDS[fact.ground]
    return str(GUARDED[fact.step]), str(how), "warn"


def kept_words(call: Call) -> str:
    """What became of a call that did not simply ring, or was marked."""
    if call.guard is None:
        return gettext("Marked by a person")
    return {
        GuardStep.BLOCKED: gettext("Blocked"),
        GuardStep.CHALLENGED: gettext("Hung up") if call.ended_at else gettext("Asked for a digit"),
        GuardStep.PASSED: gettext("Came through"),
        GuardStep.FAILED: gettext("Did not press it"),
    }[call.guard]


def why_words(kept: Kept, region: str) -> str:
    """The rule or the ground; nothing where a person said so."""
    if kept.rule is not None:
        return gettext("Rule: %(callers)s", callers=callers_words(kept.rule, region))
    said = str(GROUNDS[GuardGround(kept.ground)]) if kept.ground else "–"
    return said[:1].upper() + said[1:]


def callers_words(callers: Callers, region: str) -> str:
    """Whom a rule is about, as people of that region write it."""
    if callers.kind is RuleKind.WITHHELD:
        return gettext("Numbers withheld")
    return display(callers.digits, region) if callers.kind is RuleKind.NUMBER else callers.word
