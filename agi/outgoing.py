"""The route `outgoing`: what Asterisk asks when one of our phones dials out, translated for the tracker.

Here a fault of ours does cost something: without an answer nobody calls out, for nobody could say what it
would cost. Emergency numbers are not asked about.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from agi.commands import set_variables
from agi.conversation import Conversation
from agi.guard import Endpoint
from agi.inbound import Unanswerable
from agi.readers import Readers
from tracker.logs import of
from tracker.outgoing import REASON, Permit, permit
from tracker.policy.outgoing import CAUSES, REJECTED, Bar

log = logging.getLogger("leaseline.agi")

_ARGUMENTS = {
    "call": r"[0-9A-Za-z._-]{1,40}",  # an Asterisk without UUID() mints it of its UNIQUEID
    "target": r"[0-9]{1,9}",
    "wanted": r"[0-9+*#]{0,40}",
    "at": r"[0-9]{9,11}(?:\.[0-9]{1,6})?",
}


def outgoing_route(readers: Readers) -> Endpoint:
    """The endpoint that answers `agi://…/outgoing`."""

    async def outgoing(request: Conversation) -> None:
        asked = _arguments(request.headers)
        at = datetime.fromtimestamp(float(asked["at"]), UTC)
        answer = await readers.ask(lambda session: permit(session, int(asked["target"]), asked["wanted"], at))
        await set_variables(request, **variables(answer))
        said = answer.value if isinstance(answer, Bar) else "goes out"
        log.info("outgoing: %s", said, extra=of(asked["call"], target=asked["target"]))

    return outgoing


def variables(answer: Permit | Bar) -> dict[str, str]:
    """What the dialplan goes on by; LL_OK, the last, only where the call may go out."""
    if isinstance(answer, Bar):
        return {"LL_WHY": f"{REASON}{answer.value}", "LL_CAUSE": str(CAUSES.get(answer, REJECTED))}
    return {
        "LL_OUT": answer.e164,
        "LL_NUMBER": answer.dialled,
        "LL_WAY": f"trunk-{answer.trunk_id}",
        "LL_DID": answer.shown,
        "LL_RECORD": "1" if answer.record else "0",
        "LL_OK": "1",
    }


def _arguments(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name: headers.get(f"agi_arg_{place}", "") for place, name in enumerate(_ARGUMENTS, start=1)}
    for name, pattern in _ARGUMENTS.items():
        if not re.fullmatch(pattern, given[name]):
            raise Unanswerable(f"argument {name} is {given[name][:40]!r}")
    return given
