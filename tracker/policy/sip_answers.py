"""Why a call or a log-in did not come about, in words: what the answer means, and what to do about it.

The codes are SIP's (RFC 3261 and after); the sentences say what carriers mean by them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Explained:
    """`code` is the SIP status, None where nobody answered."""

    code: int | None
    sentence: str
    fix: str


_ANSWERS: dict[int, tuple[str, str]] = {
    400: (
        "The carrier does not understand the request",
        "Look whether a number has a form it knows: --dial-as digits or national",
    ),
    401: ("The carrier wants a log-in, or refuses ours", "Check --username and --password"),
    402: ("The carrier wants money", "Top up the account"),
    403: (
        "The carrier forbids the call: log-in, our address, number shown or destination is not allowed",
        "Show one of its own numbers (--caller-id own), register our address there, ask what it minds",
    ),
    404: (
        "The carrier does not know the number, or not in this form",
        "Check the number; try --dial-as digits or national",
    ),
    405: ("The carrier does not take this kind of request", "Ask it whether the account may call out"),
    407: ("The carrier wants a log-in, or refuses ours", "Check --username and --password"),
    408: ("Nobody answered in time", "Check host, port, transport and the firewall on both sides"),
    410: ("The number is out of service", "Check the number"),
    415: ("The carrier does not take our session description", "Try --codecs alaw, and --srtp off"),
    420: ("The carrier wants an extension of SIP we do not speak", "Ask it what it requires"),
    423: ("The carrier wants a longer registration", "Ask it; ours lasts 300 s"),
    480: ("The number cannot be reached now", "Try again, or call another one"),
    482: ("The call came back to where it started", "The number leads to ourselves: call another one"),
    483: ("The call went round in circles", "Ask the carrier where it sends this number"),
    484: ("The number is not complete", "Give it with country code; try --dial-as national"),
    486: ("The number is busy: the way there works", "Nothing; or call another number"),
    487: ("The call was given up before anybody answered: the way there works", "Nothing"),
    488: (
        "No codec or encryption suits both sides",
        "Try --codecs alaw,ulaw; --srtp required where it wants encrypted sound, else off",
    ),
    491: ("Both sides asked at once", "Try again"),
    500: ("The carrier has trouble inside", "Try again; if it stays so, ask the carrier"),
    502: ("The carrier's own carrier does not answer properly", "Try again; if it stays so, ask the carrier"),
    503: (
        "The carrier takes no calls now, or no more of ours at once",
        "Ask how many calls at once the account may have; look whether a call goes on",
    ),
    504: ("The carrier's own carrier did not answer in time", "Try again; if it stays so, ask the carrier"),
    513: ("Our request was too large", "Use --transport tcp"),
    600: ("The number is busy everywhere: the way there works", "Nothing; or call another number"),
    603: ("The call was declined, by a person or by the carrier", "Call another number; ask the carrier"),
    604: ("The number does not exist", "Check the number"),
    606: ("No codec suits both sides", "Try --codecs alaw,ulaw"),
    607: ("The person called does not want the call", "Call another number"),
    608: ("The carrier took the call for unwanted", "Ask the carrier why it blocks our number"),
}
_CLASSES = {
    3: ("The carrier sends us elsewhere", "Ask it for the host that takes calls itself"),
    4: ("The carrier refuses the request", "Ask the carrier what it means by that"),
    5: ("The carrier has trouble inside", "Try again; if it stays so, ask the carrier"),
    6: ("The call is refused everywhere", "Ask the carrier what it means by that"),
}
_SILENCE = Explained(
    None,
    "Nobody answered",
    "Check host, port, transport and firewalls; many carriers answer only addresses they know",
)
_REGISTERED: dict[int, tuple[str, str]] = {
    401: ("The carrier refuses the log-in", "Check --username and --password"),
    403: (
        "The carrier refuses the log-in: wrong password, an account that is switched off, or too many tries",
        "Check --username and --password, wait a few minutes, ask the carrier",
    ),
    404: ("The carrier does not know the user name", "Check --username and --host"),
    407: ("The carrier refuses the log-in", "Check --username and --password"),
}
_TLS: dict[int, tuple[str, str]] = {
    9: ("Its certificate is not valid yet", "Look whether this machine's clock is right"),
    10: ("Its certificate has expired", "Tell the carrier; until then --no-tls-verify, at your own risk"),
    18: (
        "Its certificate is signed by itself",
        "Give it as --tls-ca FILE, or believe any with --no-tls-verify",
    ),
    19: ("Its certificate comes from an authority nobody knows", "Give the authority's file: --tls-ca FILE"),
    20: ("Its certificate comes from an authority we do not know", "Give that one's file: --tls-ca FILE"),
    21: ("Its certificate comes without its chain", "Give the authority's file: --tls-ca FILE"),
    62: (
        "Its certificate is made out to another name",
        "Give --host as the certificate names it",
    ),
    64: (
        "Its certificate names no such address",
        "Give --host by the name that the certificate bears, not by address",
    ),
}


def explain(code: int | None) -> Explained:
    """What the final answer to a call means."""
    if code is None:
        return _SILENCE
    sentence, fix = _ANSWERS.get(code) or _CLASSES.get(
        code // 100, ("The carrier answers in no way we know", "Ask it")
    )
    return Explained(code, sentence, fix)


def explain_registration(code: int | None) -> Explained:
    """What the answer to our log-in means."""
    if code in _REGISTERED:
        return Explained(code, *_REGISTERED[code])
    return explain(code)


def explain_tls(verify_code: int) -> Explained:
    """Why a certificate is not believed, by OpenSSL's number for it."""
    found = _TLS.get(verify_code, ("Its certificate is not believed", "Ask the carrier for its authority"))
    return Explained(None, *found)


def code_of(text: str) -> int | None:
    """The status in `SIP 403 Forbidden`, as Asterisk tells a leg's cause."""
    found = re.search(r"\b([3-6][0-9]{2})\b", text)
    return int(found[1]) if found else None


_REFUSED = re.compile(r"(?:Fatal|Temporal) response '([0-9]{3})' received from '[^']*' on registration")
_UNANSWERED = re.compile(r"No response received from '[^']*' on registration")


def registration_answer(log: str) -> tuple[bool, int | None]:
    """What Asterisk last wrote of a registration: whether anything; the status, None of nobody's answer."""
    found: tuple[bool, int | None] = (False, None)
    for line in log.splitlines():
        if refused := _REFUSED.search(line):
            found = (True, int(refused[1]))
        elif _UNANSWERED.search(line):
            found = (True, None)
    return found
