"""What is rendered: trunks, targets and numbers as Asterisk must know them, and whether they are sound."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from dialplan import guards
from dialplan.guards import GuardFacts, load_guards
from dialplan.plans import PlanFacts, load_plans, plan_problems
from dialplan.tones import DEFAULT, zone_name
from tracker.consents import for_dialplan
from tracker.dialling import dial_of, header_policy
from tracker.forwarding import Rings, ways
from tracker.models import (
    Channel,
    Company,
    Number,
    NumberState,
    NumberUse,
    OutgoingRule,
    Pool,
    Target,
    TargetKind,
    Trunk,
    TrunkKind,
)
from tracker.policy.outgoing import emergency_numbers
from tracker.policy.phone import spellings, spelt_in
from tracker.policy.sip_entries import CODECS
from tracker.policy.sip_words import source_text
from tracker.sealed import Shut


@dataclass(frozen=True)
class Way:
    """How SIP and sound travel: `srtp` is off, optional or required; the rest matters for TLS only."""

    srtp: str = "off"
    verify: bool = True
    ca: str | None = None

    def transport(self, kind: str) -> str:
        """The transport to send by; Asterisk decides by transport whose certificates it believes."""
        if kind != "tls":
            return f"transport-{kind}"
        if not self.verify:
            return "transport-tls-unverified"
        digest = hashlib.sha256(self.ca.encode()).hexdigest()[:8] if self.ca else ""
        return f"transport-tls-{digest}" if digest else "transport-tls"


@dataclass(frozen=True)
class TrunkFacts:
    id: int
    about: str
    kind: str
    host: str
    port: int
    transport: str
    username: str | None
    password: str | None
    match: tuple[str, ...]
    caller_id: str
    trust_asserted: bool
    country: str | None = None
    did_in: str = "uri"
    way: Way = Way()
    outbound_proxy: str | None = None
    codecs: tuple[str, ...] = ("alaw", "ulaw")
    dtmf: str = "rfc4733"
    qualify_seconds: int | None = None
    symmetric: bool = True

    @property
    def context(self) -> str:
        """Where its calls arrive: with all others, unless it writes numbers in a way of its own."""
        plain = self.did_in == "uri" and self.country is None
        return "leaseline-arrive" if plain else f"leaseline-arrive-{self.id}"

    @property
    def known_by(self) -> tuple[str, ...]:
        """The addresses its calls come from: as named, else its host and its proxy."""
        proxy = (self.outbound_proxy or "").rpartition(":")[0] or self.outbound_proxy
        return self.match or tuple(dict.fromkeys(each for each in (self.host, proxy) if each))

    @property
    def did_header(self) -> str | None:
        """The header that holds the number dialled, where it is not in the request itself."""
        return {"uri": None, "to": "To"}.get(self.did_in, self.did_in.removeprefix("header:"))


@dataclass(frozen=True)
class OutFacts:
    """How a target calls out; without `granted` only `emergency` numbers. `shown` is our number, E.164."""

    granted: bool
    trunk_id: int
    shown: str
    emergency: tuple[str, ...]


@dataclass(frozen=True)
class TargetFacts:
    """`dial` is the argument of Asterisk's Dial; `caller_id` the label in [leaseline-headers].

    `judges`: who answers there may say by the phone's keys what the call was worth; `codes`: stop the
    recording by them; `whispers`: is told first what the call is about.
    """

    id: int
    about: str
    kind: str
    dial: str
    caller_id: str
    host: str | None
    port: int | None
    transport: str
    username: str | None
    password: str | None
    judges: bool = False
    way: Way = Way()
    login: str | None = None
    login_password: str | None = None
    tells_source: bool = False
    codes: bool = False
    whispers: bool = False
    out: OutFacts | None = None

    @property
    def endpoint(self) -> str:
        """The PJSIP endpoint over which it is dialled."""
        return self.dial.rpartition("@")[2].removeprefix("PJSIP/")


@dataclass(frozen=True)
class NumberFacts:
    """`source` is what a phone system may be told of a static channel's calls, in plain ASCII.

    `tones` is the zone of the tones that its callers hear from us: their company's country.
    """

    e164: str
    company_id: int
    about: str
    record: bool
    rings: Rings
    spellings: tuple[str, ...]
    source: str = ""
    plan: str = ""  # "7-3", where a plan counts
    consent: str = ""
    tones: str = DEFAULT


@dataclass(frozen=True)
class Facts:
    trunks: tuple[TrunkFacts, ...]
    targets: tuple[TargetFacts, ...]
    numbers: tuple[NumberFacts, ...]
    plans: tuple[PlanFacts, ...] = ()
    guards: tuple[GuardFacts, ...] = ()

    @property
    def tls_ways(self) -> dict[str, Way]:
        """The TLS transports beside the usual one, by name: for those who verify in another way."""
        parties: list[TrunkFacts | TargetFacts] = [
            *self.trunks,
            *(target for target in self.targets if target.kind == TargetKind.PEER),
        ]
        named = {each.way.transport("tls"): each.way for each in parties if each.transport == "tls"}
        return {name: named[name] for name in sorted(named) if name != "transport-tls"}

    @property
    def spelt(self) -> dict[str, dict[str, str]]:
        """For each country whose carriers we have: the forms it writes, each with the number meant."""
        countries = sorted({trunk.country for trunk in self.trunks if trunk.country})
        return {
            country: {
                form: each.e164 for each in self.numbers for form in sorted(spelt_in(each.e164, country))
            }
            for country in countries
        }


def load_facts(session: Session, at: datetime | None = None) -> Facts:
    """Everything that Asterisk is told, as it stands in the database; `at` is now unless told otherwise."""
    trunks = session.scalars(sa.select(Trunk).where(Trunk.retired_at.is_(None)).order_by(Trunk.id)).all()
    targets = session.scalars(sa.select(Target).options(joinedload(Target.company)).order_by(Target.id)).all()
    rules = {rule.company_id: rule for rule in session.scalars(_RULES)}
    return Facts(
        trunks=tuple(_trunk(trunk) for trunk in trunks),
        targets=tuple(_target(target, rules.get(target.company_id)) for target in targets),
        numbers=tuple(_numbers(session)),
        plans=load_plans(session, at or datetime.now(UTC)),
        guards=load_guards(session),
    )


def _trunk(trunk: Trunk) -> TrunkFacts:
    return TrunkFacts(
        trunk.id,
        f"trunk {trunk.id} “{trunk.name}”",
        trunk.kind.value,
        trunk.host,
        trunk.port,
        trunk.transport.value,
        trunk.username,
        trunk.password,
        tuple(trunk.match),
        trunk.caller_id.value,
        trunk.trust_asserted,
        trunk.country,
        trunk.did_in,
        Way(trunk.srtp.value, trunk.tls_verify, trunk.tls_ca),
        trunk.outbound_proxy,
        tuple(trunk.codecs),
        trunk.dtmf.value,
        trunk.qualify_seconds,
        trunk.symmetric,
    )


_RULES = sa.select(OutgoingRule).options(joinedload(OutgoingRule.number), joinedload(OutgoingRule.company))


def _target(target: Target, rule: OutgoingRule | None) -> TargetFacts:
    about = f"target {target.id} “{target.name}” of {target.company.name}"
    if target.kind is TargetKind.EXTENSION:
        return _extension(target, about)
    dial, caller_id = dial_of(target, "${LL_DID}"), target.caller_id
    if target.kind is TargetKind.OUTSIDE and target.trunk:
        caller_id = target.trunk.caller_id
    return TargetFacts(
        target.id,
        about,
        target.kind.value,
        dial,
        caller_id.value,
        target.host,
        target.port,
        target.transport.value,
        target.username,
        target.password,
        target.company.judge_by_phone,
        Way(target.srtp.value, target.tls_verify, target.tls_ca),
        target.login,
        target.login_password,
        target.tells_source,
        target.company.recording_codes,
        target.whispers and target.company.whisper is not None,
        out=_out(target, rule) if rule is not None else None,
    )


def _out(target: Target, rule: OutgoingRule) -> OutFacts | None:
    """Phone systems are known, and so can call at all, only where they may call out."""
    if target.kind is TargetKind.OUTSIDE or (target.kind is TargetKind.PEER and not target.calls_out):
        return None
    emergency = emergency_numbers(rule.company.default_region)
    return OutFacts(target.calls_out, rule.trunk_id, rule.number.e164, emergency)


def _extension(target: Target, about: str) -> TargetFacts:
    """A phone of the Asterisk that includes us rings itself; what a context makes of one, by a Local one."""
    dial, label = dial_of(target, "${LL_DID}"), header_policy(target)
    return TargetFacts(
        id=target.id, about=about, kind=target.kind.value, dial=dial, caller_id=label, host=None, port=None,
        transport="udp", username=None, password=None, judges=target.company.judge_by_phone,
    )  # fmt: skip


def _numbers(session: Session) -> Iterator[NumberFacts]:
    rows = session.execute(
        sa.select(Number, Company.name, Company.default_region, Channel, Pool.name)
        .join(Company, Company.id == Number.company_id)
        .join(
            NumberUse, sa.and_(NumberUse.number_id == Number.id, NumberUse.until_at.is_(None)), isouter=True
        )
        .join(Channel, Channel.id == NumberUse.channel_id, isouter=True)
        .join(Pool, Pool.id == NumberUse.pool_id, isouter=True)
        .where(Number.state != NumberState.RETIRED)
        .order_by(Number.e164)
    ).all()
    found = ways(session)
    consents = for_dialplan(session)
    written = {row.Number.e164: spellings(row.Number.e164, row.default_region) for row in rows}
    shared = _ambiguous(written)
    for number, company, region, channel, pool in rows:
        use = f"channel “{channel.name}”" if channel else f"pool “{pool}”" if pool else "not assigned"
        forms = tuple(sorted(written[number.e164] - shared - {number.e164}))
        way = found[number.id]
        plan = way.plan.word if way.plan else ""
        asked = consents.get(number.id) or consents.get(-number.company_id) or ""
        yield NumberFacts(
            number.e164,
            number.company_id,
            f"{use} of {company}",
            number.record,
            way.rings,
            forms,
            source_text(channel.source, channel.medium, channel.campaign) if channel else "",
            plan,
            asked,
            zone_name(region),
        )


def _ambiguous(written: dict[str, frozenset[str]]) -> set[str]:
    """Forms that two numbers could mean; a number's own E.164 form always means that number."""
    counts = Counter(form for forms in written.values() for form in forms)
    return {form for form, count in counts.items() if count > 1} | set(written)


# ---- is it sound? Everything below ends up in Asterisk's configuration, so only plain words pass. ----

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,98}")
_PHONE_USERNAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
_PASSWORD = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,200}")  # printable, no space, no ; (a comment to Asterisk)
_DIGITS = re.compile(r"\+?[0-9]{3,20}")
_DIAL = re.compile(r"PJSIP/([A-Za-z0-9+*#._-]{1,40}|\$\{LL_DID\})(@(target|trunk)-[0-9]+)?")
_INSIDE = re.compile(r"PJSIP/[\w+*.-]{1,20}|Local/[\w+*.-]{1,20}@[\w-]{1,19}/n", re.ASCII)


_DID_IN = re.compile(r"uri|to|header:[A-Za-z][A-Za-z0-9-]{0,45}")
_PROXY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_FILE = re.compile(r"/[A-Za-z0-9._/+-]{1,254}")


def problems(facts: Facts) -> list[str]:
    """What cannot be rendered, each naming its entry; an empty list when everything can."""
    return [
        *_trunk_problems(facts.trunks),
        *_target_problems(facts.targets),
        *_number_problems(facts),
        *plan_problems(facts.plans),
        *guards.problems(facts.guards),
    ]


def _is_host(text: str | None) -> bool:
    try:
        ipaddress.ip_address(text or "")
    except ValueError:
        return bool(_HOST.fullmatch(text or ""))
    return True


def _is_file(path: str | None) -> bool:
    return path is None or bool(_FILE.fullmatch(path))


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return _is_host(text)
    return True


_SHUT = "its password was sealed with another secret_key: see `leaseline doctor`"


def _trunk_problems(trunks: Iterable[TrunkFacts]) -> Iterator[str]:
    for trunk in trunks:
        if isinstance(trunk.password, Shut):
            yield f"{trunk.about}: {_SHUT}"
            continue
        if not _is_host(trunk.host):
            yield f"{trunk.about}: host {trunk.host!r} is neither an address nor a host name"
        for match in trunk.match:
            if not _is_network(match):
                yield f"{trunk.about}: {match!r} is neither an address nor a network"
        if trunk.username and not _USERNAME.fullmatch(trunk.username):
            yield f"{trunk.about}: user name {trunk.username!r} has characters SIP does not allow"
        if trunk.kind == TrunkKind.REGISTRATION and not (trunk.username and trunk.password):
            yield f"{trunk.about}: a trunk that registers needs a user name and a password"
        if trunk.password and not _PASSWORD.fullmatch(trunk.password):
            yield f"{trunk.about}: the password may hold printable ASCII without spaces and semicolons"
        yield from _manner_problems(trunk)


def _manner_problems(trunk: TrunkFacts) -> Iterator[str]:
    """Of how a trunk speaks, beside who it is."""
    if not _DID_IN.fullmatch(trunk.did_in):
        yield f"{trunk.about}: {trunk.did_in!r} is no place for a number"
    if trunk.outbound_proxy and not _PROXY.fullmatch(trunk.outbound_proxy):
        yield f"{trunk.about}: {trunk.outbound_proxy!r} is no proxy"
    if not trunk.codecs or not set(trunk.codecs) <= set(CODECS):
        yield f"{trunk.about}: {','.join(trunk.codecs)!r} are no codecs"
    if trunk.country and not _COUNTRY.fullmatch(trunk.country):
        yield f"{trunk.about}: {trunk.country!r} is no country"
    if not _is_file(trunk.way.ca):
        yield f"{trunk.about}: {trunk.way.ca!r} is no plain path"


def _target_problems(targets: Iterable[TargetFacts]) -> Iterator[str]:
    for target in targets:
        if isinstance(target.password, Shut) or isinstance(target.login_password, Shut):
            yield f"{target.about}: {_SHUT}"
            continue
        if target.kind == TargetKind.PEER and not (_is_host(target.host) and target.port):
            yield f"{target.about}: host {target.host!r}, port {target.port!r} is no SIP address"
        if target.kind == TargetKind.PHONE and not _PHONE_USERNAME.fullmatch(target.username or ""):
            yield f"{target.about}: user name {target.username!r} is not small letters, digits and hyphens"
        if target.kind == TargetKind.PHONE and not _PASSWORD.fullmatch(target.password or ""):
            yield f"{target.about}: the password may hold printable ASCII without spaces and semicolons"
        if target.login and not _USERNAME.fullmatch(target.login):
            yield f"{target.about}: log-in {target.login!r} has characters SIP does not allow"
        if target.login and not _PASSWORD.fullmatch(target.login_password or ""):
            yield f"{target.about}: the password may hold printable ASCII without spaces and semicolons"
        if not _is_file(target.way.ca):
            yield f"{target.about}: {target.way.ca!r} is no plain path"
        allowed = _INSIDE if target.kind == TargetKind.EXTENSION else _DIAL
        if not allowed.fullmatch(target.dial):
            yield f"{target.about}: {target.dial!r} cannot be dialled"


def _number_problems(facts: Facts) -> Iterator[str]:
    known = {target.id for target in facts.targets}
    for number in facts.numbers:
        if not _DIGITS.fullmatch(number.e164):
            yield f"number {number.e164!r}: not in the form +…"
        for ring in number.rings:
            if ring.target_id not in known:
                yield f"number {number.e164}: rings target {ring.target_id}, which does not exist"
