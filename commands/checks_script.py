"""What doctor looks at of the websites' script: whether browsers get it, and its answers, at `web_url`."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from commands.context import Here
from commands.findings import Finding, bad, ok, warn
from commands.site_snippet import is_loopback

if TYPE_CHECKING:
    from tracker.settings import Settings

_SECONDS = 5.0
_MOST = 200_000  # bytes of an answer; the script is 8 KB
_COMMENT = "/* Leaseline: "  # so begins what /s/ answers when there is no script
_API = "/api/v1/visits"
_CALLBACKS = "/api/v1/callbacks/ask"
_Trouble = tuple[str, str]  # what is wrong with an address, and what to do


@dataclass(frozen=True)
class _Answer:
    status: int
    kind: str  # media type
    text: str
    leads_to: str  # of a redirect


def script(opened: Here) -> Iterator[Finding]:
    """Browsers elsewhere reach `web_url`, and get there what a site's pages load and ask."""
    key = _any_key(opened)
    if key is None:
        return
    found = opened.settings
    if local := _only_local(found.web_url):
        yield local
        if found.web_url == f"http://{found.web_host}:{found.web_port}":
            return  # nobody has set it: whether the page runs here is other checks' business
    yield from _served(found, key)
    if _calls_back(opened):
        yield _answering(found, "callbacks", _CALLBACKS)


def _only_local(web_url: str) -> Finding | None:
    """Why browsers elsewhere cannot use a script from there, if that is so."""
    fix = "Put a proxy with https in front and set web_url to its address: docs/operations.md says how"
    if is_loopback(web_url):
        return warn("web_url", f"only this machine reaches {web_url}: no visitor gets the script", fix)
    if web_url.startswith("http:"):
        return warn("web_url", f"{web_url} is not https: pages with https refuse the script", fix)
    return None


def _served(found: Settings, key: str) -> Iterator[Finding]:
    """The script, and if that is there, what it asks."""
    url = f"{found.web_url}/s/{key}.js"
    if trouble := _asked(url, None, lambda answer: _script_trouble(found, key, answer)):
        yield bad("script", f"{url} {trouble[0]}", trouble[1])
        return
    yield ok("script", f"{url} is served")
    yield _answering(found, "visit API", _API)


def _answering(found: Settings, name: str, path: str) -> Finding:
    """Whether browsers get an answer of ours at that path."""
    url = found.web_url + path
    if trouble := _asked(url, b"{}", lambda answer: _api_trouble(found, answer, path)):
        return bad(name, f"{url} {trouble[0]}", trouble[1])
    return ok(name, f"{url} answers")


def _asked(url: str, body: bytes | None, judge: Callable[[_Answer], _Trouble | None]) -> _Trouble | None:
    try:
        return judge(_ask(url, body))
    except (OSError, http.client.HTTPException) as trouble:
        return _unreached(trouble, urlsplit(url).hostname or "")


def _ask(url: str, body: bytes | None) -> _Answer:
    """One request without redirects, a POST if there is a body. Raises OSError, HTTPException."""
    parts = urlsplit(url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, parts.port or (443 if secure else 80), timeout=_SECONDS)
    try:
        headers = {"User-Agent": "Mozilla/5.0 (leaseline doctor)", "Content-Type": "text/plain"}
        connection.request("GET" if body is None else "POST", parts.path, body, headers)
        response = connection.getresponse()
        return _Answer(
            response.status,
            response.headers.get_content_type(),
            response.read(_MOST).decode(errors="replace"),
            response.headers.get("Location", ""),
        )
    finally:
        connection.close()


def _script_trouble(found: Settings, key: str, answer: _Answer) -> _Trouble | None:
    """What is wrong with the answer to a request for the script, and what to do; None if it is the script."""
    if answer.text.startswith(_COMMENT):
        said = answer.text.removeprefix(_COMMENT).strip().removesuffix("*/").strip()
        if answer.status == 404:
            fix = "Another Leaseline, or one with other books, answers there: correct web_url or the proxy"
            return f"does not know the site: {said}", fix
        return f"answers {answer.status}: {said}", "Do that, then `leaseline restart web`"
    if trouble := _status_trouble(found, answer, "/s/"):
        return trouble
    if f'"k":"{key}"' not in answer.text:
        return f"answers with {answer.kind} that is not the script", _passing("/s/")
    return None


def _api_trouble(found: Settings, answer: _Answer, path: str) -> _Trouble | None:
    """None if it said that it knows no such site: it was asked without one, and counts nothing."""
    try:
        if json.loads(answer.text)["error"]["id"] == "site.unknown":
            return None
    except (ValueError, KeyError, TypeError):
        pass
    return _status_trouble(found, answer, path) or (
        f"answers with {answer.kind} that is not ours",
        _passing(path),
    )


def _status_trouble(found: Settings, answer: _Answer, path: str) -> _Trouble | None:
    match answer.status:
        case 200:
            return None
        case 301 | 302 | 303 | 307 | 308:
            fix = f"Set web_url to where it leads, or have the proxy pass on {path} as it is"
            return f"redirects to {answer.leads_to[:100]}", fix
        case 401 | 403:
            return f"answers {answer.status}", f"Have the proxy let everybody reach {path}, without a log-in"
        case 502 | 503 | 504:
            where = f"http://{found.web_host}:{found.web_port}"
            fix = f"Is `web` running (`leaseline status`), and does the proxy pass on to {where}?"
            return f"answers {answer.status}: the proxy does not reach Leaseline", fix
        case _:
            return f"answers {answer.status}", _passing(path)


def _passing(path: str) -> str:
    return f"Have the proxy pass on {path} to Leaseline as it is: docs/operations.md has a configuration"


def _unreached(trouble: Exception, host: str) -> _Trouble:
    """Why there was no answer at all, and what to do."""
    match trouble:
        case ssl.SSLCertVerificationError():
            said = f"has a certificate that browsers refuse: {trouble.verify_message}"
            return said, f"Give the proxy a valid certificate for {host}, with the intermediate ones"
        case ssl.SSLError():
            said = f"does not speak https: {trouble.reason or trouble}"
            return said, "Set the proxy up for https on that port, or correct web_url"
        case socket.gaierror():
            return f"cannot be found: no address for {host}", "Enter the name in the DNS, or correct web_url"
        case TimeoutError():
            said = f"does not answer within {_SECONDS:.0f} s"
        case http.client.HTTPException():
            said = "does not answer in HTTP"
        case _:
            said = f"cannot be reached: {getattr(trouble, 'strerror', None) or trouble}"
    fix = (
        "Look at the proxy and the firewall; if only this machine cannot reach its own public address, give"
        f" {host} the proxy's inner address in /etc/hosts"
    )
    return said, fix


def _calls_back(opened: Here) -> bool:
    """Whether any site shows the button."""
    import sqlalchemy as sa

    from tracker.models import CallbackSettings

    with opened.database.read() as session:
        wanted = sa.select(CallbackSettings.site_id).where(CallbackSettings.is_on)
        return session.scalar(wanted.limit(1)) is not None


def _any_key(opened: Here) -> str | None:
    """A site's key; None where there is no site."""
    import sqlalchemy as sa

    from tracker.models import Site

    with opened.database.read() as session:
        return session.scalar(sa.select(Site.key).order_by(Site.id).limit(1))
