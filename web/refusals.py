"""Refusals in the page's language, by their id: what tracker/ says in English to every edge.

English stays as it was said, with the values in it. In another language a sentence that fits each refusal of
that id stands for it; one that is not here stays English, so that nothing is silent.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from tracker.errors import Rejected
from web.languages import language

REFUSALS = {
    "address.duplicate": (_("That address is told already"), _("Give another one")),
    "address.malformed": (
        _("That is no e-mail address and no address of the web"),
        _("Give name@company.example or https://…"),
    ),
    "address.many": (_("There are too many addresses already"), _("Delete one first")),
    "address.unknown": (_("There is no such address"), _("See the alerts at /alerts")),
    "alert.unknown": (_("There is no such alert"), _("See the alerts at /alerts")),
    "call.unknown": (_("There is no such call"), _("Look for it in the list of calls")),
    "category.unknown": (_("There is no such category"), _("Choose target, service, non-target or none")),
    "columns.malformed": (_("There is no such column"), _("Open the page again and choose anew")),
    "code.malformed": (_("This is no visitor code"), _("Type its three or more digits")),
    "code.unknown": (
        _("Nobody was shown this code in the hours before the call"),
        _("Ask the caller for the number beside the telephone number once more"),
    ),
    "cost.unknown": (_("There is no such cost"), _("See the costs at /costs")),
    "database.away": (
        _("The books cannot be read right now; calls go on ringing"),
        _("Try again in a moment"),
    ),
    "file.encoding": (_("The letters of this file cannot be read"), _("Save it as CSV UTF-8")),
    "file.empty": (_("The file has no rows below its titles"), _("Give at least one")),
    "file.none": (_("No file was chosen"), _("Choose a CSV file")),
    "file.titles": (
        _("No row of the file names columns that are known here"),
        _("Begin it with a row of titles, such as day, source and amount"),
    ),
    "file.workbook": (_("This is an Excel workbook"), _("Save it as CSV UTF-8, and give that")),
    "filter.future": (_("These days have not come yet"), _("Choose a day before")),
    "filter.too_long": (_("So many days are too many"), _("Choose two years at most")),
    "filter.malformed": (_("This filter cannot be understood"), _("Take it away and choose anew")),
    "form.forged": (_("This form is no longer valid"), _("Open the page again and send it from there")),
    "http.malformed": (_("The address or form is malformed"), _("Go back and try again")),
    "http.method": (_("This address is not used that way"), _("See the calls at /calls")),
    "http.too_large": (_("This is more than the page accepts"), _("Send less")),
    "http.unknown": (_("There is no such page"), _("See the calls at /calls")),
    "link.ended": (
        _("This link was used already, has expired or was never made"),
        _("Ask whoever runs this installation for a new one"),
    ),
    "link.foreign": (
        _("This person sees more companies than you administer"),
        _("Ask whoever runs this installation for the link"),
    ),
    "language.unknown": (_("The page does not speak that language"), _("Choose another")),
    "login.late": (_("The log-in took too long"), _("Begin again with your password")),
    "login.needed": (_("You are not logged in"), _("Log in")),
    "login.too_many": (_("Too many tries"), _("Wait a little and try again")),
    "login.wrong": (_("E-mail or password is wrong"), _("Try again, or ask for a one-time link")),
    "heard_of.malformed": (_("This is too long"), _("Write less")),
    "note.malformed": (_("This note cannot be kept"), _("Write something, but not more than fits the field")),
    "note.unknown": (_("There is no such note of yours"), _("Open the call again")),
    "page.malformed": (_("This is no place in the list of calls"), _("Begin with the newest calls")),
    "password.weak": (
        _("This password is too short, too common or too near to your name or your company's"),
        _("Choose another: three or four unrelated words are good"),
    ),
    "password.wrong": (_("This is not your password"), _("Try again")),
    "promo_code.malformed": (_("This is too long"), _("Write less")),
    "rate.malformed": (_("This is no exchange rate"), _("Give a number above zero, such as 92.5")),
    "rate.same": (_("This is the company’s own currency"), _("It needs no rate")),
    "recording.kind": (_("There is no such kind of recording"), _("Ask for wav, mp3 or opus")),
    "recording.missing": (
        _("This call has no recording to play"),
        _("See the call's page for what became of it"),
    ),
    "role.last_owner": (_("A company keeps at least one owner"), _("Make somebody else an owner first")),
    "role.malformed": (_("No role was chosen"), _("Choose one")),
    "role.needed": (_("Your role does not let you do this"), _("Ask an owner or an admin of the company")),
    "role.too_high": (
        _("That is more than your own role"),
        _("Ask an owner; nobody gives or takes a role above his own"),
    ),
    "rent.days": (_("The last day is before the first"), _("Give one that is not")),
    "rent.unknown": (_("There is no such rent"), _("See the rents at /costs")),
    "sale.duplicate": (_("The sale of this order is there already"), _("Look for it at /sales")),
    "sale.unknown": (_("There is no such sale"), _("See the sales at /sales")),
    "session.unknown": (_("This browser is logged out already"), _("Open the page again")),
    "share.days": (_("A link cannot live so long"), _("Choose one of the terms offered")),
    "share.expired": (_("This link has expired"), _("Ask whoever sent it for a new one")),
    "share.going_on": (_("The call is still going on"), _("Share it when it is over")),
    "share.revoked": (_("This link was taken back"), _("Ask whoever sent it for a new one")),
    "share.too_many": (_("Too many tries"), _("Wait a little and try again")),
    "share.unknown": (_("There is no such link"), _("Look whether it was copied whole")),
    "tag.malformed": (
        _("This tag cannot be kept"),
        _("Write a word or two, but not more than fits the field"),
    ),
    "tag.too_many": (_("A call has no room for more tags"), _("Take one away first")),
    "totp.not_begun": (_("There is nothing to confirm"), _("Open your account and begin again")),
    "totp.off": (_("The second factor is off"), _("Open your account again")),
    "totp.on": (_("The second factor is on already"), _("Open your account again")),
    "totp.wrong": (
        _("This code is not right, or was used already"),
        _("Wait for the next one on your phone, and look at the phone's clock"),
    ),
    "user.disabled": (_("This person's log-in is disabled"), _("Ask whoever runs this installation")),
    "user.duplicate": (
        _("Somebody with this e-mail is here already"),
        _("Change the role, or give another e-mail"),
    ),
    "user.malformed": (_("This is no e-mail address"), _("Give one like ann@example.com")),
    "user.nameless": (_("A person has a name"), _("Give yours")),
    "user.no_role": (_("This person has no role here"), _("Open the page of people again")),
    "user.unknown": (_("There is no such user here"), _("Open the page of people again")),
    "value.ambiguous": (
        _("This amount can be read in two ways"),
        _("Write it without a mark between thousands, or with all its decimals"),
    ),
    "value.currency": (
        _("This is not the currency in which the company counts"),
        _("Write the number alone; the currency stands beside the field"),
    ),
    "value.malformed": (_("This is no amount of money"), _("Write a number, with decimals if you like")),
    "value.negative": (_("An amount is never below zero"), _("Leave it empty for none")),
    "value.too_large": (_("The amount is too large"), _("Give at most 10000000000")),
    "view.duplicate": (
        _("You have a view of this name"),
        _("Choose another name, or delete that view first"),
    ),
    "view.empty": (_("This view asks for nothing"), _("Choose something to filter by first")),
    "view.foreign": (_("This view is somebody else's"), _("Ask who made it, or an administrator")),
    "view.malformed": (_("This filter cannot be understood"), _("Take it away and choose anew")),
    "view.many": (_("You have as many views as can be"), _("Delete one that you do not need")),
    "view.nameless": (_("A view needs a name"), _("Give one of at most 60 characters")),
    "view.unknown": (
        _("There is no such view"),
        _("It may be deleted already: see your views again"),
    ),
    "visit.unknown": (_("There is no such visit"), _("Open it from the page of a call")),
    "web.broken": (
        _("Something is wrong on our side"),
        _("Try again; whoever runs this installation finds the details in the log"),
    ),
}


def translated(problem: Rejected) -> Rejected:
    """The same refusal in the page's language, where it is told in it."""
    if language() == "en" or problem.id not in REFUSALS:
        return problem
    message, fix = REFUSALS[problem.id]
    return Rejected(problem.id, str(message), str(fix))
