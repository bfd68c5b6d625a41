"""A report by one model beside the same by another: who opens the door, and who closes the sale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tracker.errors import Rejected
from tracker.policy.credit import Model
from tracker.policy.money_figures import Sums
from tracker.policy.report import Report, Wish
from tracker.policy.report_wish import read_wish

WORD = "against"  # of the address
OWN = "own"  # no model: the source of the call itself


def other_wish(words: Mapping[str, str], wish: Wish) -> Wish | None:
    """The same wish by the model that the address puts beside. Raises Rejected report.malformed."""
    given = words.get(WORD, "").strip()
    if not given:
        return None
    other = replace(wish, model=None if given == OWN else read_wish({"model": given}).model)
    if other.model is wish.model:
        raise Rejected("report.malformed", "A model stands beside itself", "Choose another one")
    return other


def beside(report: Report, other: Report) -> Report:
    """The rows with the other model's figures where those of the days before would stand."""
    theirs = {line.key: line for line in other.lines}
    lines = [
        replace(line, before=theirs[line.key].sums if line.key in theirs else Sums()) for line in report.lines
    ]
    known = {line.key for line in report.lines}
    more = [
        replace(line, sums=Sums(cost=line.sums.cost, calls=line.sums.calls), before=line.sums)
        for line in other.lines
        if line.key not in known
    ]
    whole = replace(report.whole, before=other.whole.sums)
    return replace(report, before=None, lines=[*lines, *more], whole=whole)


def model_of(words: Mapping[str, str]) -> Model | None:
    """The model beside, of an address that was read already."""
    given = words[WORD].strip()
    return None if given == OWN else Model(given.replace("-", "_"))
