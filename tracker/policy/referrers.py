"""Known hosts that visits come from: search engines, social networks, mail, AI assistants.

Our own list is tracker/data/referrers.toml; an admin may add Matomo's (tracker.referrer_lists).
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files


class Kind(enum.StrEnum):
    SEARCH = "search"
    SOCIAL = "social"
    VIDEO = "video"
    SHOPPING = "shopping"
    EMAIL = "email"
    AI = "ai"
    REFERRAL = "referral"  # what looks like one of those, and is an ordinary page
    THROUGH = "through"  # payment and log-in pages: the visitor was with us before, and comes back


# Kinds that are spoken to below many names: l.facebook.com, out.reddit.com. The others have other services
# there, docs.google.com is no search engine: each of their hosts is listed.
WITH_SUBDOMAINS = frozenset({Kind.SOCIAL, Kind.VIDEO, Kind.SHOPPING, Kind.REFERRAL, Kind.THROUGH})

# "{}" is a country's top-level domain or one of these: anybody may own google.xyz.
_COMMON_ENDINGS = frozenset({"com", "net", "org", "info", "biz", "eu"})
_SECOND_LEVELS = frozenset({"co", "com", "net", "org", "ne", "or", "go", "gov", "ac", "edu"})
_SAME_SITE = ("www.", "m.")


@dataclass(frozen=True)
class KnownHost:
    """A host, in which "{}" stands for any top-level domain, or at the front for a country ("{}.bing.com").

    A path may follow. An app is known by its package: "org.telegram.messenger". `parameters` hold what was
    searched for.
    """

    kind: Kind
    name: str
    host: str
    parameters: tuple[str, ...] = ()


class Referrers:
    """An index of known hosts. Where two speak of the same host, the first counts."""

    def __init__(self, hosts: Iterable[KnownHost], names: Mapping[str, Kind] | None = None) -> None:
        """`names`: what else may stand for a kind in utm_source ("fb"), besides the hosts' own names."""
        self._hosts: dict[str, dict[str, KnownHost]] = {}  # host -> path -> who that is
        self._names: dict[str, Kind] = dict(names or {})
        for each in hosts:
            host, slash, path = each.host.partition("/")
            self._hosts.setdefault(_bare(host), {}).setdefault(slash + path, each)
            self._names.setdefault(each.name.lower(), each.kind)

    def and_also(self, hosts: Iterable[KnownHost]) -> Referrers:
        """These and more; what is known already stays as it is."""
        mine = [each for paths in self._hosts.values() for each in paths.values()]
        return Referrers([*mine, *hosts], self._names)

    def find(self, host: str, path: str = "/") -> KnownHost | None:
        """Who is behind that host, a small one without a trailing dot."""
        bare = _bare(host)
        for name in _generalised(bare):
            if found := self._at(name, path):
                return found
        for parent in _parents(bare):
            for name in _generalised(parent):
                found = self._at(name, path)
                if found and found.kind in WITH_SUBDOMAINS:
                    return found
        return None

    def kind_of(self, source: str) -> Kind | None:
        """What kind a source is, given as in utm_source: "google", "fb" or "www.google.com"."""
        text = source.lower()
        if text in self._names:
            return self._names[text]
        found = self.find(text) if "." in text else None
        return found.kind if found else None

    def _at(self, name: str, path: str) -> KnownHost | None:
        paths = self._hosts.get(name)
        if not paths:
            return None
        fitting = [start for start in paths if path.startswith(start)]
        return paths[max(fitting, key=len)] if fitting else None


def _bare(host: str) -> str:
    for prefix in _SAME_SITE:
        rest = host.removeprefix(prefix)
        if rest != host and "." in rest:
            host = rest
    return host


def _parents(host: str) -> Iterator[str]:
    """example.co.uk, co.uk of www.example.co.uk; the longest first."""
    while "." in (host := host.partition(".")[2]):
        yield host


def _generalised(host: str) -> Iterator[str]:
    """The host, and as it would stand in a list with "{}" for its country or top-level domain."""
    yield host
    labels = host.split(".")
    if len(labels) > 2 and len(labels[0]) == 2:
        yield ".".join(["{}", *labels[1:]])
    if len(labels) > 1 and (len(labels[-1]) == 2 or labels[-1] in _COMMON_ENDINGS):
        yield ".".join([*labels[:-1], "{}"])
        if len(labels) > 2 and labels[-2] in _SECOND_LEVELS:
            yield ".".join([*labels[:-2], "{}"])


def _read_built_in() -> Referrers:
    data = tomllib.loads((files("tracker") / "data" / "referrers.toml").read_text(encoding="utf-8"))
    hosts, names = [], {}
    for kind in Kind:
        for name, entry in data[kind].items():
            parameters = tuple(entry.get("parameters", ()))
            hosts += [KnownHost(kind, name, host, parameters) for host in entry["hosts"]]
            names.update(dict.fromkeys((name, *entry.get("also", ())), kind))
    return Referrers(hosts, names)


BUILT_IN = _read_built_in()
