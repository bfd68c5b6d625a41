"""Whether a call may be recorded: what the caller was told and said, and the stretches left out."""

from __future__ import annotations

import enum


class ConsentMode(enum.StrEnum):
    """What a company wants before it records."""

    TELL = "tell"  # the caller is told, and recorded
    REFUSABLE = "refusable"  # recorded, unless he presses the key
    REQUIRED = "required"  # recorded only if he presses the key


class Withheld(enum.StrEnum):
    """Why a call that would have been recorded was not."""

    REFUSED = "refused"  # by the caller's key
    NOT_AGREED = "not_agreed"  # consent was asked for, no key was pressed
    NOT_ASKED = "not_asked"  # the announcement could not be played: nobody is recorded without it
    LISTED = "listed"  # the caller is on the company's list of those who are never recorded
    FORBIDDEN = "forbidden"  # whoever took the call dialled the code for it


class Wish(enum.StrEnum):
    """Who put a caller on the list of those who are never recorded."""

    CALLER = "caller"  # himself, by a key
    EMPLOYEE = "employee"  # by a code, during a call
    PERSON = "person"  # on the page or the command line
