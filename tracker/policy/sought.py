"""What a search finds a caller by, and what it looks for: both in the same writing."""

from __future__ import annotations

import re

from tracker.policy.facts import Presentation


def sought(caller: str | None, name: str | None, presentation: Presentation) -> str | None:
    """A caller's number and name in small letters; None for one who does not show them."""
    if presentation is not Presentation.ALLOWED:
        return None
    return " ".join(part for part in (caller, name) if part).lower() or None


def caller_parts(text: str) -> list[str]:
    """The parts of a number or a name that somebody means who types this, in the writing of `sought`.

    A number may be typed with spaces and brackets, and nationally: with a trunk prefix (0, 8) that E.164 has
    not.
    """
    digits = re.sub(r"[\s().+/-]", "", text)
    if not re.fullmatch(r"[0-9]{3,15}", digits, re.ASCII):
        return [text.lower()]
    national = [digits[1:]] if digits[0] in "08" and len(digits) > 6 else []
    return list(dict.fromkeys((text.lower(), digits, *national)))
