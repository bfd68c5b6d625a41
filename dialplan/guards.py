"""Whom companies do not want, as Asterisk must know it for calls about which nobody can be asked."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import CallerRule, Company, Guard
from tracker.policy.block_list import SHORTEST_PREFIX, Callers
from tracker.policy.facts import Treatment
from tracker.policy.guard_words import sounds
from tracker.policy.phone import LONGEST_CALLER, Dialling, dialling_of
from tracker.policy.spam import CHALLENGE_SECONDS, CHALLENGE_TRIES, LONGEST_DIGITS
from tracker.settings import Settings
from tracker.sounds import path_of

_PLAIN = re.compile(r"withheld|\+[0-9]{2,16}\*?", re.ASCII)


@dataclass(frozen=True)
class RuleFacts:
    """`callers` is as people name them, `+7495*`; `treatment` is None where they are let through."""

    id: int
    callers: str
    treatment: str | None
    expires_at: datetime | None

    @property
    def end(self) -> str:
        """Which of a company's contexts the rule is in."""
        return self.callers.removesuffix("*")[-2:]


@dataclass(frozen=True)
class Form:
    """A way to write a caller: what is put before it, after so many characters were taken away."""

    pattern: str
    before: str = ""
    without: int = 0


@dataclass(frozen=True)
class GuardFacts:
    """A company's rules; `language` is what its blocked and challenged callers are spoken to in."""

    company_id: int
    about: str
    language: str
    forms: tuple[Form, ...]
    rules: tuple[RuleFacts, ...]


def load_guards(session: Session) -> tuple[GuardFacts, ...]:
    """Of every company that has ever set something."""
    rules = _rules(session)
    wanted = sa.select(Guard, Company).join(Company, Company.id == Guard.company_id)
    return tuple(
        GuardFacts(
            company.id,
            company.name,
            company.language,
            tuple(forms_of(dialling_of(company.default_region))),
            tuple(_rule(row, guard.treatment) for row in rules[company.id]),
        )
        for guard, company in session.execute(wanted.order_by(Guard.company_id))
    )


def _rules(session: Session) -> dict[int, list[Any]]:
    columns = (
        CallerRule.company_id, CallerRule.id, CallerRule.kind, CallerRule.digits, CallerRule.allows,
        CallerRule.treatment, CallerRule.expires_at,
    )  # fmt: skip
    found: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(sa.select(*columns).order_by(CallerRule.digits, CallerRule.kind)):
        found[row.company_id].append(row)
    return found


def _rule(row: Any, usual: Treatment) -> RuleFacts:
    treatment = None if row.allows else str(row.treatment or usual)
    return RuleFacts(row.id, Callers(row.kind, row.digits).word, treatment, row.expires_at)


def kept(rule: RuleFacts) -> str:
    """What the rule's extension gives back; nobody is challenged by a list that was rendered beforehand."""
    word = f"{rule.treatment}-rule-{rule.id}-0" if rule.treatment else "let"
    if rule.treatment == Treatment.CHALLENGED:
        word = "ring"
    if rule.expires_at is None:
        return word
    return f"${{IF($[${{EPOCH}} < {int(rule.expires_at.timestamp())}]?{word})}}"


def forms_of(dialling: Dialling) -> Iterator[Form]:
    """How a carrier of that country may write a caller, the last for whatever no other is for.

    Without a length of national numbers that all share, one without any prefix is taken for a whole one.
    """
    yield Form("_+!")
    for prefix in sorted({"00", *dialling.international}):
        yield Form(f"_{prefix}X.", "+", len(prefix))
    if dialling.trunk and dialling.trunk != dialling.code:
        yield Form(f"_{dialling.trunk}[1-9]X.", f"+{dialling.code}", len(dialling.trunk))
    if dialling.length:
        yield Form("_" + "X" * dialling.length, f"+{dialling.code}")
    yield Form("_X!", "+")


def problems(guards: Iterable[GuardFacts]) -> Iterator[str]:
    """What cannot be rendered."""
    for guard in guards:
        for rule in guard.rules:
            if not _PLAIN.fullmatch(rule.callers):
                yield f"blocked caller {rule.callers!r} of {guard.about}: neither a number nor a prefix"


def guard_words(settings: Settings, guards: Sequence[GuardFacts]) -> dict[str, Any]:
    """What the templates call by name."""
    return {
        "guards": guards,
        "kept": kept,
        "guard_sounds": lambda guard: {
            name: path_of(settings, words) for name, words in sounds(guard.language).items()
        },
        "longest_caller": LONGEST_CALLER,
        "longest_rule": LONGEST_DIGITS,
        "shortest_prefix": SHORTEST_PREFIX,
        "challenge_seconds": CHALLENGE_SECONDS,
        "challenge_tries": CHALLENGE_TRIES,
    }
