"""A file from an address that somebody else wrote down: over https, judged like a webhook's, within limits.

    download(url, place, Limits(100_000_000), networks, Login({"Authorization": "…"}, ("callrail.com",)))

Each step of a redirect is judged as the first address is. What is shown to be let in goes to hosts that are
named, never to where they send one on.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from tracker.errors import Said, say
from tracker.outside import SECONDS, Trouble, connected, in_words, way_of
from tracker.policy.telling import url_problem

HOPS = 4
_LARGEST_JSON = 65_536
_CHUNK = 65_536
BROKEN_OFF = say("it broke off before its end")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


@dataclass(frozen=True)
class Limits:
    """How much is taken, and how long anybody waits for all of it."""

    most_bytes: int = 200_000_000
    whole_seconds: float = 300.0


@dataclass(frozen=True)
class Login:
    """Headers that let one in, and the hosts to which alone, with what is below them, they are shown."""

    headers: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()


class DownloadError(Exception):
    """Nothing came; `said` is why, for a person."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said))
        self.said = said


def download(
    url: str, place: Path, limits: Limits, allowed: Sequence[str], login: Login | None = None
) -> None:  # fmt: skip
    """Puts what is at `url` into the new file `place`. Raises DownloadError.

    `allowed` are networks of the house. An answer of JSON with a member `url` names where the file is, as the
    interfaces of some services do.
    """
    until = time.monotonic() + limits.whole_seconds
    for _ in range(HOPS):
        if problem := url_problem(url):
            raise DownloadError(problem)
        if urlsplit(url).scheme != "https":
            raise DownloadError(say("it is not fetched over plain http"))
        headers = login.headers if login and _is_known(url, login.hosts) else {}
        try:
            further = _fetch(url, place, limits, allowed, headers, until=until)
        except Trouble as refused:
            raise DownloadError(Said(str(refused).replace("%", "%%"))) from None
        except (OSError, http.client.HTTPException) as trouble:
            raise DownloadError(say("it could not be fetched: %(why)s", why=in_words(trouble))) from None
        if further is None:
            return
        url = urljoin(url, further)
    raise DownloadError(say("it is sent on too often"))


def _is_known(url: str, known_hosts: Collection[str]) -> bool:
    host = (urlsplit(url).hostname or "").casefold()
    return any(host == each or host.endswith(f".{each}") for each in known_hosts)


def _fetch(
    url: str, place: Path, limits: Limits, allowed: Sequence[str], headers: Mapping[str, str], *, until: float
) -> str | None:
    """Where it sends one on; None when the file is there."""
    more = {"User-Agent": "Leaseline", "Connection": "close", "Accept": "audio/*, */*;q=0.5"}
    with connected(url, allowed, SECONDS, until - time.monotonic()) as connection:
        connection.request("GET", way_of(url), headers={**more, **headers})
        with contextlib.closing(connection.getresponse()) as response:
            further = _taken(response, place, limits)
            if further is None and time.monotonic() >= until:  # it was cut, and nobody knows where
                raise DownloadError(BROKEN_OFF)
            return further


def _taken(response: http.client.HTTPResponse, place: Path, limits: Limits) -> str | None:
    if response.status in _REDIRECTS and (further := response.getheader("Location")):
        return further
    if response.status != 200:
        raise DownloadError(
            say(
                "it was answered %(status)s %(reason)s",
                status=response.status,
                reason=response.reason[:60],
            )
        )
    kind = (response.getheader("Content-Type") or "").casefold()
    if "json" in kind:
        return _named(response.read(_LARGEST_JSON))
    if "html" in kind:
        raise DownloadError(say("it is a page, and no sound: does one have to log in?"))
    _save(response, place, limits)
    return None


def _named(content: bytes) -> str:
    try:
        found = json.loads(content)["url"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or not found:
        raise DownloadError(say("the answer is JSON and names no address of a file"))
    return found


def _save(response: http.client.HTTPResponse, place: Path, limits: Limits) -> None:
    told = response.getheader("Content-Length") or ""
    whole = int(told) if told.isascii() and told.isdecimal() else None
    too_large = DownloadError(say("it is larger than %(most)s MB", most=limits.most_bytes // 1_000_000))
    if whole is not None and whole > limits.most_bytes:
        raise too_large
    size = 0
    with place.open("xb") as file:
        while part := response.read(_CHUNK):
            size += len(part)
            if size > limits.most_bytes:
                raise too_large
            file.write(part)
    if whole is not None and size < whole:
        raise DownloadError(BROKEN_OFF)
