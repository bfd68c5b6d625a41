"""Whether a caller rings: rules, suspicion, what the list takes, and what the facts of a call add up to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplan.guards import Form, forms_of, kept
from dialplan.guards import RuleFacts as Kept
from tracker.errors import Rejected
from tracker.policy.block_list import read_callers, read_countries, read_expiry, read_treatment
from tracker.policy.books import fold
from tracker.policy.facts import (
    Ended,
    Fact,
    Guarded,
    GuardGround,
    GuardStep,
    HungUpBy,
    Interrupted,
    Outcome,
    Spam,
    SpamSaid,
    Treatment,
)
from tracker.policy.phone import dialling_of
from tracker.policy.spam import (
    RING,
    Block,
    Challenge,
    Decision,
    Earlier,
    Rule,
    RuleKind,
    Watch,
    beginnings,
    decide,
)
from tracker.policy.spool import BadLine, parse_line

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALLER, OURS = "+4915112345678", 7
BUSY, ASKED = Treatment.BUSY, Treatment.CHALLENGED


def rule(
    word: str, treatment: Treatment = BUSY, *, allows: bool = False, number: int = 1, ends: int | None = None
) -> Rule:
    callers = read_callers(word, "DE")
    expires_at = None if ends is None else NOW + timedelta(minutes=ends)
    return Rule(number, callers.kind, callers.digits, allows, treatment, expires_at)


def ago(seconds: float, number: int = OURS, lasted: float | None = 60) -> Earlier:
    return Earlier(NOW - timedelta(seconds=seconds), number, lasted)


def decided(*rules: Rule, caller: str | None = CALLER, passed: bool = False) -> Decision:
    return decide(caller, rules, None, (), number_id=OURS, passed=passed, now=NOW)


@pytest.mark.parametrize(
    ("rules", "caller", "expected"),
    [
        ([], CALLER, RING),
        ([rule(CALLER)], CALLER, Block(1, BUSY)),
        ([rule("+4915112345679")], CALLER, RING),
        ([rule("+49151*")], CALLER, Block(1, BUSY)),
        ([rule("+49152*")], CALLER, RING),
        (
            [rule("+49151*"), rule("+4915112*", Treatment.REFUSED, number=2)],
            CALLER,
            Block(2, Treatment.REFUSED),
        ),
        (
            [rule("+4915112*"), rule(CALLER, Treatment.ANNOUNCED, number=2)],
            CALLER,
            Block(2, Treatment.ANNOUNCED),
        ),
        ([rule(CALLER), rule("+49*", allows=True)], CALLER, RING),
        ([rule("+49*"), rule(CALLER, allows=True)], CALLER, RING),
        ([rule(CALLER, allows=True, ends=-1), rule("+49*", number=2)], CALLER, Block(2, BUSY)),
        ([rule(CALLER, ends=0)], CALLER, RING),
        ([rule(CALLER, ends=1)], CALLER, Block(1, BUSY)),
        ([rule("withheld")], None, Block(1, BUSY)),
        ([rule("withheld")], CALLER, RING),
        ([rule("+49*")], None, RING),
        ([rule("withheld", ASKED)], None, Challenge(GuardGround.RULE, 1)),
        ([rule(CALLER, ASKED)], CALLER, Challenge(GuardGround.RULE, 1)),
        ([rule("+49*"), rule(CALLER, ASKED, number=2)], CALLER, Challenge(GuardGround.RULE, 2)),
    ],
)
def test_the_rule_that_says_most_of_a_caller_decides(
    rules: list[Rule], caller: str | None, expected: Decision
) -> None:
    assert decided(*rules, caller=caller) == expected
    assert decided(*reversed(rules), caller=caller) == expected


def test_who_has_passed_is_not_asked_again_but_stays_blocked() -> None:
    assert decided(rule(CALLER, ASKED), passed=True) == RING
    assert decided(rule(CALLER), passed=True) == Block(1, BUSY)


@pytest.mark.parametrize(
    ("watch", "recent", "expected"),
    [
        (Watch(), [ago(1)] * 100, None),
        (Watch(per_minute=3), [ago(10), ago(59)], GuardGround.MINUTE),
        (Watch(per_minute=3), [ago(10), ago(60)], None),
        (Watch(per_hour=3), [ago(10), ago(3599)], GuardGround.HOUR),
        (Watch(per_hour=3), [ago(10), ago(3600)], None),
        (Watch(per_day=3), [ago(10), ago(86399)], GuardGround.DAY),
        (Watch(per_minute=9, per_day=2), [ago(5)], GuardGround.DAY),
        (Watch(numbers=3), [ago(10, 1), ago(20, 2)], GuardGround.NUMBERS),
        (Watch(numbers=3), [ago(10, OURS), ago(20, 2)], None),
        (Watch(numbers=3), [ago(10, 1), ago(601, 2)], None),
        (Watch(short_calls=2), [ago(10, lasted=1), ago(20, lasted=5.9)], GuardGround.SHORT),
        (Watch(short_calls=2), [ago(10, lasted=1), ago(20, lasted=6)], None),
        (Watch(short_calls=2), [ago(10, lasted=1), ago(20, lasted=None)], None),
        (Watch(countries=("DE",)), [], None),
        (Watch(countries=("FR", "PL")), [], GuardGround.COUNTRY),
        (Watch(per_minute=1), [], GuardGround.MINUTE),
    ],
)
def test_a_caller_is_suspicious(watch: Watch, recent: list[Earlier], expected: GuardGround | None) -> None:
    def of(caller: str | None, *rules: Rule, passed: bool = False) -> Decision:
        return decide(caller, rules, watch, recent, number_id=OURS, passed=passed, now=NOW)

    assert of(CALLER) == (Challenge(expected) if expected else RING)
    assert of(CALLER, passed=True) == of(CALLER, rule(CALLER, allows=True)) == of(None) == RING


def test_a_number_that_names_no_country_is_not_suspicious_for_it() -> None:
    watch = Watch(countries=("DE",))
    for caller in ("101", "+999123", "+80012345678"):
        assert decide(caller, (), watch, (), number_id=OURS, passed=False, now=NOW) == RING


@given(st.text("+0123456789", max_size=40), st.text("0123456789", min_size=2, max_size=14))
def test_a_prefix_is_found_among_the_beginnings(caller: str, digits: str) -> None:
    wanted = Rule(1, RuleKind.PREFIX, "+" + digits, False, BUSY)
    is_blocked = decided(wanted, caller=caller or None) != RING
    assert is_blocked == caller.startswith("+" + digits)
    assert not is_blocked or "+" + digits in beginnings(caller)


# ---- what a person types ----


@pytest.mark.parametrize(
    ("text", "region", "word"),
    [
        ("+49 151 12345678", "RU", "+4915112345678"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("+7 495*", "RU", "+7495*"),
        ("8495 *", "RU", "+7495*"),
        ("0151*", "DE", "+49151*"),
        ("0049151*", "DE", "+49151*"),
        (" Withheld ", "DE", "withheld"),
    ],
)
def test_callers_are_read_as_people_write_them(text: str, region: str, word: str) -> None:
    found = read_callers(text, region)
    assert found.word == word
    assert read_callers(found.word, region) == found


@pytest.mark.parametrize(
    "text",
    ["", "*", "+*", "+4*", "+0*", "7*x", "1;2*", "${X}*", "+" + "9" * 16 + "*", "abc", "+1)"],
)
def test_what_names_no_callers_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        read_callers(text, "ZZ")


@pytest.mark.parametrize(
    ("text", "ends"),
    [("", None), ("1d", NOW + timedelta(days=1)), ("2026-11-20", datetime(2026, 11, 20, 21, tzinfo=UTC))],
)
def test_an_end_is_days_or_a_last_day_of_the_companys_clocks(text: str, ends: datetime | None) -> None:
    assert read_expiry(text, ZoneInfo("Europe/Moscow"), NOW) == ends


@pytest.mark.parametrize(
    "text", ["0d", "2026-11-19", "soon", "2026-13-01", "99999d", "2026-11-20T10:00", "१d"]
)
def test_an_end_that_is_over_or_none_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        read_expiry(text, ZoneInfo("Europe/Moscow"), NOW)


def test_treatments_and_countries_are_read() -> None:
    assert read_treatment("usual") is None
    assert read_treatment("announced") is Treatment.ANNOUNCED
    with pytest.raises(Rejected):
        read_treatment("shouted")
    assert read_countries(" ru, de;RU ") == ("DE", "RU")
    assert read_countries("any") == read_countries("") == ()


# ---- Asterisk's copy ----


@pytest.mark.parametrize(
    ("region", "written"),
    [
        ("DE", {"+49151": "+49151", "0049151": "+49151", "0151123": "+49151123", "49151": "+49151"}),
        ("RU", {"8495123": "+7495123", "81049151": "+49151", "9151234567": "+79151234567", "7495": "+7495"}),
        ("US", {"2125550123": "+12125550123", "12125550123": "+12125550123", "01149151": "+49151"}),
    ],
)
def test_a_caller_is_written_out_in_full(region: str, written: dict[str, str]) -> None:
    forms = list(forms_of(dialling_of(region)))
    for caller, full in written.items():
        found = max((form for form in forms if _matches(form.pattern, caller)), key=_specific)
        assert found.before + caller[found.without :] == full, (caller, found)


def _matches(pattern: str, text: str) -> bool:
    """As Asterisk does: X is a digit, a dot one character or more, an exclamation mark any or none."""
    signs = {"X": "[0-9]", "+": r"\+", ".": ".+", "!": ".*"}
    return bool(re.fullmatch("".join(signs.get(sign, sign) for sign in pattern[1:]), text))


def _specific(form: Form) -> tuple[int, ...]:
    """Asterisk takes digits before sets, these before any number of characters, from the left."""
    signs = re.findall(r"\[[^]]*\]|.", form.pattern[1:])
    return tuple(
        3 if sign.isdigit() or sign == "+" else {"X": 1, ".": 0, "!": -1}.get(sign, 2) for sign in signs
    )


LINE = '{"e":"guard","call":"k","node":"n","t":"1795176000.5",'


def test_a_line_of_the_guard_is_read_strictly() -> None:
    good = LINE + '"became":"challenged","why":"hour","rule":"0","how":"challenged"}'
    assert parse_line(good.encode()) == Guarded(
        "k", "n", NOW + timedelta(seconds=0.5), C, GuardGround.HOUR, None, ASKED
    )
    for old, new in (
        ("challenged", "danced"), ("hour", ""), ('"0"', '"-1"'), ('"0"', '"x"'), ('"0"', '"99999999999"'),
        ('"how":"challenged"', '"how":["busy"]'), ('"why":"hour",', ""),
    ):  # fmt: skip
        with pytest.raises(BadLine):
            parse_line(good.replace(old, new).encode())


def test_the_copy_challenges_nobody_and_ends_with_the_rule() -> None:
    assert kept(Kept(1, "+49*", "challenged", None)) == "ring"
    assert kept(Kept(1, "+49", None, None)) == "let"
    assert kept(Kept(17, "+49", "busy", None)) == "busy-rule-17-0"
    assert kept(Kept(17, "+49", "busy", NOW)) == "${IF($[${EPOCH} < 1795176000]?busy-rule-17-0)}"


# ---- the books ----


def step(it: GuardStep, seconds: float = 0) -> Guarded:
    at = NOW + timedelta(seconds=seconds)
    return Guarded("k", "n", at, it, GuardGround.MINUTE, None, ASKED)


def said(is_spam: bool, seconds: float) -> SpamSaid:
    return SpamSaid("k", "", NOW + timedelta(seconds=seconds), "ann", is_spam)


END = Ended("k", "n", NOW + timedelta(seconds=9), "", 21, HungUpBy.CALLER, None, True)
C, P, F, B = GuardStep.CHALLENGED, GuardStep.PASSED, GuardStep.FAILED, GuardStep.BLOCKED


@pytest.mark.parametrize(
    ("facts", "guard", "spam", "outcome"),
    [
        ([step(B), END], B, Spam.BLOCKED, Outcome.REFUSED),
        ([step(C)], C, None, None),
        ([step(C), END], C, Spam.LEFT, Outcome.GAVE_UP),
        ([step(C), step(F, 1), END], F, Spam.FAILED, Outcome.REFUSED),
        ([step(C), step(P, 1), END], P, None, Outcome.GAVE_UP),
        ([step(B), END, said(False, 99)], B, None, Outcome.REFUSED),
        ([step(B), END, said(False, 99), said(True, 100)], B, Spam.PERSON, Outcome.REFUSED),
        ([Interrupted("k", "n", NOW), said(True, 99)], None, Spam.PERSON, Outcome.FAILED),
        ([END, said(True, 1), said(False, 2)], None, None, Outcome.GAVE_UP),
    ],
)
def test_what_is_spam_follows_from_the_facts(
    facts: list[Fact], guard: GuardStep | None, spam: Spam | None, outcome: Outcome | None
) -> None:
    for order in (facts, facts[::-1], facts * 2):
        state = fold(order)
        assert (state.guard, state.spam, state.outcome) == (guard, spam, outcome)
        assert state.ended_at in {None, NOW, END.at}
