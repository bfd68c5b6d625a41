"""What refusals say of what is there: the state of a number, and what holds a thing back from deletion.

Nothing that is in use or has history is deleted.
"""

from __future__ import annotations

from tracker.errors import Said, say

STATES = {"active": say("active"), "quarantined": say("quarantined"), "retired": say("retired")}
_WORDS = {
    "announcement": (say("%(num)s announcement"), say("%(num)s announcements")),
    "answered call": (say("%(num)s answered call"), say("%(num)s answered calls")),
    "callback": (say("%(num)s callback"), say("%(num)s callbacks")),
    "call": (say("%(num)s call"), say("%(num)s calls")),
    "channel": (say("%(num)s channel"), say("%(num)s channels")),
    "cost": (say("%(num)s cost"), say("%(num)s costs")),
    "count of misses": (say("%(num)s count of misses"), say("%(num)s counts of misses")),
    "earlier use": (say("%(num)s earlier use"), say("%(num)s earlier uses")),
    "forwarding": (say("%(num)s forwarding"), say("%(num)s forwardings")),
    "lease": (say("%(num)s lease"), say("%(num)s leases")),
    "number": (say("%(num)s number"), say("%(num)s numbers")),
    "number on a site": (say("%(num)s number on a site"), say("%(num)s numbers on sites")),
    "outgoing rule": (say("%(num)s company that calls out"), say("%(num)s companies that call out")),
    "overflow of a pool": (
        say("%(num)s pool as its overflow number"),
        say("%(num)s pools as their overflow number"),
    ),
    "past number": (say("the history of %(num)s number"), say("the history of %(num)s numbers")),
    "plan": (say("%(num)s plan"), say("%(num)s plans")),
    "pool": (say("%(num)s pool"), say("%(num)s pools")),
    "refused call": (say("%(num)s refused call"), say("%(num)s refused calls")),
    "rent": (say("%(num)s rent"), say("%(num)s rents")),
    "sale": (say("%(num)s sale"), say("%(num)s sales")),
    "site": (say("%(num)s site"), say("%(num)s sites")),
    "site that calls back": (say("%(num)s site that calls back"), say("%(num)s sites that call back")),
    "target": (say("%(num)s target"), say("%(num)s targets")),
    "visit": (say("%(num)s visit"), say("%(num)s visits")),
    "visitor": (say("%(num)s visitor"), say("%(num)s visitors")),
    "visitor code": (say("%(num)s visitor code"), say("%(num)s visitor codes")),
}


def uses_of(*counted: tuple[int, str]) -> list[Said]:
    """How many of each there are, in words: "2 calls"; those of which there are none are left out."""
    return [_count(num, word) for num, word in counted if num]


def _count(num: int, word: str) -> Said:
    one, many = _WORDS[word]
    return Said((one if num == 1 else many).text, {"num": num})
