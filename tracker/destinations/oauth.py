"""Being let in by OAuth 2 (RFC 6749): asked for once by a person, renewed by ourselves ever after.

Some systems take a refresh token once only, so a new one is kept before it is used (`Line.renew`). Where its
answer is lost on the way, the next renewal is refused: then a person has to connect the destination again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from tracker.destinations.kind import Line, OAuth, ShutOut, Stop, post_form, post_json, usual_answer
from tracker.outside import Reply, Trouble
from tracker.policy.delivering import is_transient
from tracker.policy.telling import Answer

EARLY = timedelta(minutes=5)  # before a token ends it is renewed
# Secrets that are kept beside what was filled in.
ACCESS, REFRESH, UNTIL, REDIRECT = "access_token", "refresh_token", "access_until", "redirect"
KEPT = (ACCESS, REFRESH, UNTIL, REDIRECT)
NOT_CONNECTED = "It is not connected yet"
_LONGEST = 10 * 365 * 86400  # seconds that are believed


def by_json(line: Line, url: str, what: Mapping[str, str]) -> Reply:
    """Fetch a token with a body of JSON. Raises Trouble."""
    return post_json(line, url, dict(what))


def by_form(line: Line, url: str, what: Mapping[str, str]) -> Reply:
    """The same with a form, as the standard has it."""
    return post_form(line, url, what)


def by_query(line: Line, url: str, what: Mapping[str, str]) -> Reply:
    """The same with everything in the address."""
    return line.ask("GET", f"{url}?{urlencode(what)}")


def question(
    way: OAuth, options: Mapping[str, str], secrets: Mapping[str, str], redirect: str, state: str
) -> str:
    """The address at which a person is asked to let us in."""
    asked = {"client_id": secrets["client_id"], "response_type": "code", "state": state, **way.question}
    if way.says_redirect:
        asked["redirect_uri"] = redirect
    place = way.authorize(options)
    return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"


def is_let_in(way: OAuth, secrets: Mapping[str, str]) -> bool:
    """Whether there is anything to be let in by."""
    return bool(way.alone or secrets.get(REFRESH) or secrets.get("token"))


def connect(way: OAuth, line: Line, code: str, redirect: str) -> None:
    """Turn the code that a person brought back into tokens. Raises Stop with the refusal, Trouble."""
    asked = {"grant_type": "authorization_code", "code": code}
    asked |= {"redirect_uri": redirect} if way.says_redirect else {}

    def fetch() -> Mapping[str, str]:
        reply = _ask(way, line, asked)
        fresh = _tokens(reply, line.now)
        if REFRESH not in fresh:
            raise Stop(replace(usual_answer(reply, line.now), ok=False, final=True))
        return {**fresh, REDIRECT: redirect}

    line.renew(fetch)


def asked_with_access(
    way: OAuth,
    line: Line,
    ask: Callable[[str], Reply],
    has_ended: Callable[[Reply], bool] = lambda reply: reply.status == 401,
) -> Reply:
    """Ask with an access token; where it has ended all the same, once more with a fresh one.

    Raises Stop, Trouble.
    """
    reply = ask(_access(way, line))
    if not has_ended(reply) or not is_let_in(way, line.secrets):
        return reply
    _renew(way, line)
    return ask(line.secrets[ACCESS])


def _access(way: OAuth, line: Line) -> str:
    """An access token that is good for a while. Raises Stop, Trouble."""
    token, until = line.secrets.get(ACCESS, ""), line.secrets.get(UNTIL, "")
    ends = datetime.fromisoformat(until) if until else None
    if token and (ends is None or line.now < ends - EARLY):
        return token
    try:
        _renew(way, line)
    except (Stop, Trouble):
        if not token or ends is None or line.now >= ends:  # else it is good for some minutes yet
            raise
        return token
    return line.secrets[ACCESS]


def _renew(way: OAuth, line: Line) -> None:
    """Raises ShutOut where nothing but a person helps, Stop, Trouble."""
    secrets = line.secrets
    if not secrets.get(REFRESH) and not way.alone:
        raise ShutOut(Answer(False, NOT_CONNECTED))
    asked = {"grant_type": "client_credentials"}
    if secrets.get(REFRESH):
        asked = {"grant_type": "refresh_token", REFRESH: secrets[REFRESH]}
    if way.says_redirect and secrets.get(REDIRECT):
        asked["redirect_uri"] = secrets[REDIRECT]

    def fetch() -> Mapping[str, str]:
        reply = _ask(way, line, asked)
        if fresh := _tokens(reply, line.now):
            return fresh
        answer = replace(usual_answer(reply, line.now), ok=False, final=False)
        raise Stop(answer) if reply.ok or is_transient(reply.status) else ShutOut(answer)

    line.renew(fetch)


def _ask(way: OAuth, line: Line, asked: Mapping[str, str]) -> Reply:
    ids = {name: line.secrets.get(name, "") for name in ("client_id", "client_secret")}
    return way.ask(line, way.token(line.options), {**ids, **asked})


def _tokens(reply: Reply, now: datetime) -> dict[str, str]:
    """What a reply grants: nothing, or a token and until when."""
    told = reply.json()
    if not reply.ok or not isinstance(told, dict) or not told.get(ACCESS):
        return {}
    seconds = str(told.get("expires_in") or "")
    until = now + timedelta(seconds=min(int(seconds), _LONGEST)) if seconds.isdecimal() else None
    fresh = {name: str(told[name]) for name in (ACCESS, REFRESH) if told.get(name)}
    return {**fresh, UNTIL: until.isoformat() if until else ""}
