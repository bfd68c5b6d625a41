"""What is rendered: trunks, targets and numbers as Asterisk must know them, and whether they are sound."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from dialplan.plans import PlanFacts, load_plans, plan_problems
from tracker.consents import for_dialplan
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
from tracker.policy.phone import spellings


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
    codes: bool = False
    whispers: bool = False
    out: OutFacts | None = None

    @property
    def endpoint(self) -> str:
        """The PJSIP endpoint over which it is dialled."""
        return self.dial.rpartition("@")[2].removeprefix("PJSIP/")


@dataclass(frozen=True)
class NumberFacts:
    e164: str
    about: str
    record: bool
    rings: Rings
    spellings: tuple[str, ...]
    plan: str = ""  # "7-3", where a plan counts
    consent: str = ""


@dataclass(frozen=True)
class Facts:
    trunks: tuple[TrunkFacts, ...]
    targets: tuple[TargetFacts, ...]
    numbers: tuple[NumberFacts, ...]
    plans: tuple[PlanFacts, ...] = ()


def load_facts(session: Session, at: datetime | None = None) -> Facts:
    """Everything that Asterisk is told, as it stands in the database; `at` is now unless told otherwise."""
    trunks = session.scalars(sa.select(Trunk).order_by(Trunk.id)).all()
    targets = session.scalars(sa.select(Target).options(joinedload(Target.company)).order_by(Target.id)).all()
    rules = {rule.company_id: rule for rule in session.scalars(_RULES)}
    return Facts(
        trunks=tuple(_trunk(trunk) for trunk in trunks),
        targets=tuple(_target(target, rules.get(target.company_id)) for target in targets),
        numbers=tuple(_numbers(session)),
        plans=load_plans(session, at or datetime.now(UTC)),
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
    )


_RULES = sa.select(OutgoingRule).options(joinedload(OutgoingRule.number), joinedload(OutgoingRule.company))


def _target(target: Target, rule: OutgoingRule | None) -> TargetFacts:
    about = f"target {target.id} “{target.name}” of {target.company.name}"
    caller_id = target.caller_id
    if target.kind is TargetKind.PEER:
        dial = f"PJSIP/{target.dial or '${LL_DID}'}@target-{target.id}"
    elif target.kind is TargetKind.EXTENSION:
        return _extension(target, about)
    elif target.kind is TargetKind.PHONE:
        dial = f"PJSIP/target-{target.id}"
    else:
        dial = f"PJSIP/{target.e164}@trunk-{target.trunk_id}"
        caller_id = target.trunk.caller_id if target.trunk else caller_id
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
        target.company.recording_codes,
        target.whispers and target.company.whisper is not None,
        _out(target, rule) if rule is not None else None,
    )


def _out(target: Target, rule: OutgoingRule) -> OutFacts | None:
    """Phone systems are known, and so can call at all, only where they may call out."""
    if target.kind is TargetKind.OUTSIDE or (target.kind is TargetKind.PEER and not target.calls_out):
        return None
    emergency = emergency_numbers(rule.company.default_region)
    return OutFacts(target.calls_out, rule.trunk_id, rule.number.e164, emergency)


def _extension(target: Target, about: str) -> TargetFacts:
    """A phone of the Asterisk that includes us rings itself; what a context makes of one, by a Local channel.

    /n: it stays in the call. Without it, the answer and the recording would lose their channel.
    """
    local = "@" in (target.dial or "")
    dial = f"Local/{target.dial}/n" if local else f"PJSIP/{target.dial}"
    label = "none" if local else "caller"
    return TargetFacts(
        id=target.id, about=about, kind=target.kind.value, dial=dial, caller_id=label, host=None, port=None,
        transport="udp", username=None, password=None, judges=target.company.judge_by_phone,
    )  # fmt: skip


def _numbers(session: Session) -> Iterator[NumberFacts]:
    rows = session.execute(
        sa.select(Number, Company.name, Company.default_region, Channel.name, Pool.name)
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
    for number, company, _region, channel, pool in rows:
        use = f"channel “{channel}”" if channel else f"pool “{pool}”" if pool else "not assigned"
        forms = tuple(sorted(written[number.e164] - shared - {number.e164}))
        way = found[number.id]
        plan = way.plan.word if way.plan else ""
        asked = consents.get(number.id) or consents.get(-number.company_id) or ""
        yield NumberFacts(number.e164, f"{use} of {company}", number.record, way.rings, forms, plan, asked)


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


def problems(facts: Facts) -> list[str]:
    """What cannot be rendered, each naming its entry; an empty list when everything can."""
    return [
        *_trunk_problems(facts.trunks),
        *_target_problems(facts.targets),
        *_number_problems(facts),
        *plan_problems(facts.plans),
    ]


def _is_host(text: str | None) -> bool:
    try:
        ipaddress.ip_address(text or "")
    except ValueError:
        return bool(_HOST.fullmatch(text or ""))
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return _is_host(text)
    return True


def _trunk_problems(trunks: Iterable[TrunkFacts]) -> Iterator[str]:
    for trunk in trunks:
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


def _target_problems(targets: Iterable[TargetFacts]) -> Iterator[str]:
    for target in targets:
        if target.kind == TargetKind.PEER and not (_is_host(target.host) and target.port):
            yield f"{target.about}: host {target.host!r}, port {target.port!r} is no SIP address"
        if target.kind == TargetKind.PHONE and not _PHONE_USERNAME.fullmatch(target.username or ""):
            yield f"{target.about}: user name {target.username!r} is not small letters, digits and hyphens"
        if target.kind == TargetKind.PHONE and not _PASSWORD.fullmatch(target.password or ""):
            yield f"{target.about}: the password may hold printable ASCII without spaces and semicolons"
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
