"""Where calls came from, as a report groups them: one word each, read and written.

Origin("Paid Search", "google")     "Paid Search/google"     a website's visitors of that group and source
Origin(None, "Billboard")           "channel/Billboard"      the numbers of a channel
NOWHERE                             "none"                   calls that nothing attributes
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_SET = "(not set)"  # as analytics calls a name that is empty
_CHANNEL = "channel"  # no channel group is written in small letters
_NONE = "none"


@dataclass(frozen=True)
class Origin:
    """A visit's channel group and source; group None: a channel of that name; name None: nobody knows."""

    group: str | None
    name: str | None

    @property
    def word(self) -> str:
        if self.name is None:
            return _NONE
        return f"{_CHANNEL if self.group is None else self.group}/{self.name}"

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """The words of the filter that lists exactly its calls."""
        if self.name is None:
            return (("attributed", "no"),)
        if self.group is None:
            return (("channel", self.name),)
        return (("group", self.group), ("source", self.name))


NOWHERE = Origin(None, None)


def origin_of(group: str | None, source: str | None, channel: str | None) -> Origin:
    """The origin of a call with that visit's group and source (None: it has no visit) and that channel."""
    if source is not None:
        return Origin(group or NOT_SET, source or NOT_SET)
    return NOWHERE if channel is None else Origin(None, channel)


def read_origin(word: str) -> Origin | None:
    """The origin that is written so; None when none is."""
    if word == _NONE:
        return NOWHERE
    group, slash, name = word.partition("/")
    if not slash or not group or not name:
        return None
    return Origin(None if group == _CHANNEL else group, name)
