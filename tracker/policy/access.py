"""Who may try to log in again, and which passwords are good enough."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.errors import Said, say

PASSWORD_SHORTEST = 10
REST_SHORTEST = 6  # characters that are left when the words that are guessed first are taken out
PASSWORD_LONGEST = 200  # hashing cost must not be the client's to choose

FREE_TRIES = 5
LONGEST_WAIT = timedelta(minutes=5)
ACCOUNT_FORGETS = timedelta(hours=1)
CLIENT_TRIES = 20  # a minute, as GoatCounter has it
CLIENT_WINDOW = timedelta(minutes=1)

# Words that people stretch to ten characters; what is left without them must still be a password.
COMMON = (
    "password", "passwort", "parol", "пароль", "hasło", "haslo", "qwertyuiop", "qwertzuiop", "qwerty",
    "qwertz", "йцукенгшщз", "йцукен", "asdfghjkl", "asdfgh", "zxcvbnm", "1qaz2wsx3edc", "1q2w3e4r5t",
    "1q2w3e4r", "letmein", "welcome", "iloveyou", "admin", "administrator", "changeme", "secret",
    "football", "baseball", "superman", "dragon", "monkey", "sunshine", "princess", "master", "abc123",
    "leaseline",
)  # fmt: skip
RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Tries:
    """How often somebody tried: `count` times since `since_at`, the last time at `last_at`."""

    count: int
    since_at: datetime
    last_at: datetime


def account_wait(tries: Tries | None, now: datetime) -> timedelta:
    """How long an account's next try must wait: five are free, then the wait doubles up to five minutes."""
    if tries is None or tries.count < FREE_TRIES or now - tries.last_at >= ACCOUNT_FORGETS:
        return timedelta(0)
    pause = min(LONGEST_WAIT, timedelta(seconds=2.0 ** min(tries.count - FREE_TRIES, 20)))
    return max(timedelta(0), tries.last_at + pause - now)


def client_wait(tries: Tries | None, now: datetime) -> timedelta:
    """How long a client's next try must wait: twenty a minute are let through, whatever the accounts."""
    if tries is None or tries.count < CLIENT_TRIES:
        return timedelta(0)
    return max(timedelta(0), tries.since_at + CLIENT_WINDOW - now)


def counted(tries: Tries | None, now: datetime, forgets: timedelta, *, sliding: bool) -> Tries:
    """One try more; starts anew when the last (sliding) or the first one is longer ago than `forgets`."""
    if tries is None or now - (tries.last_at if sliding else tries.since_at) >= forgets:
        return Tries(1, now, now)
    return Tries(tries.count + 1, tries.since_at, now)


def password_problem(password: str, email: str, words: Iterable[str] = ()) -> Said | None:
    """What is wrong with a new password, in one sentence; None when it is fine.

    Length, common passwords, repetition, and what belongs to the person or the service (the e-mail, `words`),
    as NIST SP 800-63B asks; no rules about kinds of characters.
    """
    if len(password) < PASSWORD_SHORTEST:
        return say(
            "This password has %(count)s characters, and %(least)s are the least",
            count=len(password),
            least=PASSWORD_SHORTEST,
        )
    if len(password) > PASSWORD_LONGEST:
        return say("This password has more than %(most)s characters", most=PASSWORD_LONGEST)
    rest = _once(password.casefold())
    if len(rest) < PASSWORD_SHORTEST:
        return say("This password is one short piece over and over")
    for word in (email.casefold(), *_personal(email, *words), *COMMON):
        rest = rest.replace(word, "") if word else rest
    for run in RUNS:
        rest = _without_runs(rest, run)
    if len(rest) < REST_SHORTEST or len(set(rest)) < 4:
        return say("This password is among the first that are guessed")
    return None


def _personal(*texts: str) -> list[str]:
    """The words in these texts that are long enough to tell something, the longest first."""
    found = {word for text in texts for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 3}
    return sorted(found, key=lambda word: (-len(word), word))


def _once(text: str) -> str:
    """The piece that the whole text repeats: "tuba" of "tubatubatuba"; the text when it repeats none."""
    period = (text + text).find(text, 1)
    return text[:period]


def _without_runs(text: str, run: str, shortest: int = 4) -> str:
    """The text without stretches of four or more neighbours in `run` ("3456")."""
    kept, at = [], 0
    while at < len(text):
        length = 1
        while at + length < len(text) and text[at : at + length + 1] in run:
            length += 1
        if length < shortest:
            kept.append(text[at : at + length])
        at += length
    return "".join(kept)
