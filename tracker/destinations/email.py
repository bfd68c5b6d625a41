"""Notices by e-mail, by the installation's own server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracker.destinations.kind import Field, Kind, Line, Parcel
from tracker.destinations.notices import RESTRICTIONS, TIMINGS, USUAL_EVENTS, notice_of, why_not
from tracker.errors import say
from tracker.policy.telling import EMAIL, Answer

MOST = 10  # addresses


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One mail a parcel, to all its addresses."""
    for parcel in parcels:
        notice = notice_of(line, parcel)
        text = "\n".join((*notice.lines, "", f"{notice.open}:", notice.link, ""))
        yield line.mail(line.options["to"], parcel.key, notice.head, text)


KIND = Kind(
    word="email",
    title="E-mail",
    about=say("A mail for each call, in the company's language"),
    fields=(
        Field(
            "to",
            say("To"),
            say("An e-mail address, or up to ten with commas between"),
            form=rf"{EMAIL.pattern}(, ?{EMAIL.pattern}){{0,{MOST - 1}}}",
        ),
        *RESTRICTIONS,
    ),
    timings=TIMINGS,
    usual_events=USUAL_EVENTS,
    send=send,
    why_not=why_not,
)
