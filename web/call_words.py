"""The words by which reports group calls and their filter finds them, in the page's language."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from tracker.policy.call_words import Delay, Heard, Kind
from tracker.policy.report_words import By

KINDS = {
    Kind.DYNAMIC: _("A visitor's own number"),
    Kind.STATIC: _("A channel's number"),
    Kind.KNOWN_CALLER: _("Known by an earlier call"),
}
HEARD = {
    Heard.FIRST: _("First calls"),
    Heard.REPEAT: _("Repeat callers"),
    Heard.WITHHELD: _("Number unknown"),
}
DELAYS = {
    Delay.MINUTE: _("Within a minute of coming"),
    Delay.FIVE_MINUTES: _("1 to 5 minutes after coming"),
    Delay.HALF_HOUR: _("5 to 30 minutes after coming"),
    Delay.HOUR: _("30 to 60 minutes after coming"),
    Delay.DAY: _("1 to 24 hours after coming"),
    Delay.LATER: _("More than 24 hours after coming"),
}
WITHOUT = {
    By.CAMPAIGN: _("Without a campaign"),
    By.KEYWORD: _("Without a keyword"),
    By.AD: _("Without an ad"),
    By.LANDING: _("Without a landing page"),
    By.SITE: _("Without a website"),
    By.COUNTRY: _("Visitor's country unknown"),
    By.DEVICE: _("Device unknown"),
    By.DELAY: _("Without a visit"),
    By.EMPLOYEE: _("Answered by nobody"),
    By.TAG: _("Without a tag"),
    By.REGION: _("Caller's country unknown"),
}
