"""The script of a site: `/s/<site key>.js`, the built script with the site's configuration in it.

    /s/KEY.js            always the present one; asked for again after five minutes
    /s/KEY.VERSION.js    that very text for a year, or 404: for `integrity=` on the tag

A configuration that changes makes a new text and a new version; texts are kept in memory, packed.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, request

from tracker.errors import Rejected
from tracker.models import Site
from tracker.policy.swapping import looked_for
from web.assets import FOLDER, Assets
from web.callback_texts import LOOKS, all_texts
from web.house import house
from web.public import from_anywhere
from web.visits import desk

script = Blueprint("script", __name__)

NAME = "visitor.js"  # in the build's manifest
CALLBACK, CALLBACK_PLACE = "callback.js", "__CALLBACK__"
PLACE = "__CONFIG__"  # stands in the built script where the configuration goes
FRESH_SECONDS, YEAR_SECONDS = 300, 31_536_000


@dataclass(frozen=True)
class Text:
    """A site's script as it is sent."""

    plain: bytes
    packed: bytes
    version: str
    integrity: str  # for the tag's `integrity` attribute


@script.get("/s/<name>.js")
@from_anywhere
def file(name: str) -> Response:
    """The script of a site. Whatever is wrong is said in a comment: no page breaks by it."""
    key, _, version = name.partition(".")
    on = desk().known.by_key(key[:40])
    if on is None:
        return _comment(404, "There is no such site: `leaseline site show` prints the snippet")
    try:
        text = text_of(on.site, house().assets)
    except Rejected as error:
        return _comment(503, str(error))
    if version not in {"", text.version}:
        return _comment(404, f"This version is gone, the present one is {text.version}: change the tag")
    return _sent(text, forever=bool(version))


def text_of(site: Site, assets: Assets) -> Text:
    """The script of a site, its swaps loaded. Raises Rejected web.unbuilt when there is no built script."""
    config = json.dumps(configuration(site), separators=(",", ":"))
    if (face := callback_face(site)) is None:
        return _text(_built(assets), config)
    button = json.dumps(face, separators=(",", ":"), ensure_ascii=False)
    return _text(_built(assets), config, _built(assets, CALLBACK), button)


def integrity(site: Site) -> str:
    """What the tag's `integrity` says for `/s/KEY.VERSION.js`: "sha384-…". Raises Rejected web.unbuilt."""
    return text_of(site, Assets.read()).integrity


def configuration(site: Site) -> dict[str, Any]:
    """What the script knows of its site from the start; short names, for every byte is sent to everybody."""
    return {
        "k": site.key,
        "n": [_looked_for(**number) for number in looked_for(site.swaps)],
        "d": _apart(site.domains),
        **({"c": True} if site.needs_consent else {}),
    }


def callback_face(site: Site) -> dict[str, Any] | None:
    """What the callback button knows of its site; None where nobody is called back."""
    it = site.callback
    if it is None or not it.is_on:
        return None
    looks = LOOKS | it.looks
    return {"key": site.key, "language": it.language, "texts": all_texts(it.texts), "looks": looks}


def _looked_for(e: str, v: list[str], a: str = "") -> dict[str, Any]:
    """A number with all its spellings; that in letters comes after those in digits."""
    letters = re.sub(r"\W", "", a, flags=re.ASCII).upper()
    return {"e": e, "v": [*v, letters] if letters else v}


def _apart(domains: Sequence[str]) -> list[str]:
    """As they were named, and each for all hosts below it; without those that share another's cookie."""
    names = dict.fromkeys([*domains, *(re.sub(r"^(\*|www)\.", "", domain) for domain in domains)])
    return [
        name for name in names if name[0] == "*" or not any(name.endswith(f".{other}") for other in names)
    ]


def _built(assets: Assets, what: str = NAME) -> str:
    name = assets.names.get(what)
    if name is None:
        raise Rejected(
            "web.unbuilt",
            "The script for websites is not built",
            "Build it: `cd web && npm ci && npm run build`",
        )
    return _read(name)


@lru_cache(maxsize=2)
def _read(name: str) -> str:
    """A built file; its name changes with its content."""
    return (FOLDER / name).read_text()


@lru_cache(maxsize=1000)
def _text(built: str, config: str, button: str = "", face: str = "") -> Text:
    """The finished script. "<" is spelt out, so that it may also stand in a page."""
    plain = built.replace(PLACE, config.replace("<", "\\u003c"), 1).encode()
    plain += button.replace(CALLBACK_PLACE, face.replace("<", "\\u003c"), 1).encode()
    digest = hashlib.sha384(plain).digest()
    return Text(
        plain=plain,
        packed=gzip.compress(plain, 9, mtime=0),
        version=digest.hex()[:12],
        integrity="sha384-" + base64.b64encode(digest).decode(),
    )


def _sent(text: Text, *, forever: bool) -> Response:
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(text.packed if packed else text.plain, content_type="text/javascript; charset=utf-8")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    age = f"max-age={YEAR_SECONDS}, immutable" if forever else f"max-age={FRESH_SECONDS}"
    response.headers["Cache-Control"] = f"public, {age}"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.set_etag(text.version, weak=True)  # the same script, packed or not
    return response.make_conditional(request)  # type: ignore[return-value]


def _comment(status: int, said: str) -> Response:
    response = Response(
        f"/* Leaseline: {said.replace('*/', '')} */\n", status, content_type="text/javascript; charset=utf-8"
    )
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
