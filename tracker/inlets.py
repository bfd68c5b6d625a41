"""A company's inlets: ways in for its CRM or shop. Added, changed, removed; their secrets are shown once."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import targets
from tracker.audit import By
from tracker.errors import Rejected
from tracker.held import hold
from tracker.models import Arrival, Company, Inlet, Target
from tracker.policy.entries import read_title, read_word
from tracker.policy.inlet_kinds import KINDS
from tracker.policy.inlets import PLACES, STATUS_WORDS, read_way
from tracker.policy.mapped_rows import MAP, ROWS
from tracker.policy.signatures import Signature, read_place, read_secret
from tracker.policy.telling import SECRET
from tracker.vault import Vault

MOST = 30  # of a company
MOST_PERSONS = 500
WORDS = (ROWS, *(MAP + each for each in PLACES), *STATUS_WORDS)


@dataclass(frozen=True)
class Filled:
    """What somebody filled in; None: as it was, or as the kind has it. An empty word is taken away."""

    words: Mapping[str, str] = field(default_factory=dict)
    persons: Mapping[str, str] | None = None  # targets' names
    signature: str | None = None
    place: str | None = None
    secret: str | None = None
    over_people: bool | None = None
    name: str | None = None
    anew: bool = False  # `words` and `persons` are all there are


def add(
    session: Session, by: By, company: Company, kind: str, filled: Filled, *, vault: Vault
) -> tuple[Inlet, str]:
    """A new inlet like that kind, and its secret. Raises Rejected inlet.*, mapping.*, target.unknown."""
    like = KINDS.get(kind)
    if like is None:
        raise Rejected(
            "inlet.kind", "%(kind)r is no kind of inlet", "Give one of %(kinds)s", kind=kind[:40],
            kinds=list(KINDS),
        )  # fmt: skip
    if len(list_inlets(session, company)) >= MOST:
        raise Rejected("inlet.many", "There are %(most)s inlets already", "Remove one first", most=MOST)
    name = _new_name(session, company, filled.name or like.title)
    signature = read_word(Signature, filled.signature or like.signature.value, "inlet.signature_kind")
    place = like.place if signature is like.signature and not filled.place else filled.place or ""
    words = filled.words if filled.anew else {**like.words, **filled.words}
    secret = read_secret(signature, filled.secret) if filled.secret else new_secret(signature)
    made = Inlet(
        company_id=company.id, name=name, key=secrets.token_urlsafe(24), signature=signature,
        place=read_place(signature, place), secrets=vault.seal({"secret": secret}), mapping=_words(words),
        persons=_persons(session, company, filled.persons or {}), over_people=bool(filled.over_people),
        created_at=by.at, changed_at=by.at,
    )  # fmt: skip
    session.add(made)
    session.flush()
    by.note(session, "inlet.add", company.id, subject=name, detail=_detail(made))
    return made, secret


def change(session: Session, by: By, inlet: Inlet, filled: Filled, *, vault: Vault) -> Inlet:
    """Change what is given and nothing else. Raises Rejected as `add`."""
    _hold(session, inlet)
    company, before = session.get_one(Company, inlet.company_id), _detail(inlet)
    if filled.name and filled.name != inlet.name:
        inlet.name = _new_name(session, company, filled.name)
    if filled.signature and filled.signature != inlet.signature.value:
        inlet.signature = read_word(Signature, filled.signature, "inlet.signature_kind")
        inlet.place = read_place(inlet.signature, filled.place or "")
        if not filled.secret:
            _keep_secret(inlet, vault)
    elif filled.place is not None:
        inlet.place = read_place(inlet.signature, filled.place)
    if filled.secret:
        inlet.secrets = vault.seal({"secret": read_secret(inlet.signature, filled.secret)})
    inlet.mapping = _words(filled.words if filled.anew else {**inlet.mapping, **filled.words})
    if filled.persons is not None:
        told = _persons(session, company, filled.persons)
        inlet.persons = told if filled.anew else _without({**inlet.persons, **told}, filled.persons)
    if filled.over_people is not None:
        inlet.over_people = filled.over_people
    inlet.changed_at = by.at
    detail = _detail(inlet) | {"before": before, "secret": bool(filled.secret)}
    by.note(session, "inlet.change", inlet.company_id, subject=inlet.name, detail=detail)
    session.flush()
    return inlet


def renew_secret(session: Session, by: By, inlet: Inlet, *, vault: Vault) -> str:
    """A new secret; the one before counts no more."""
    _hold(session, inlet)
    secret = new_secret(inlet.signature)
    inlet.secrets, inlet.changed_at = vault.seal({"secret": secret}), by.at
    by.note(session, "inlet.secret", inlet.company_id, subject=inlet.name)
    return secret


def _keep_secret(inlet: Inlet, vault: Vault) -> None:
    try:
        read_secret(inlet.signature, vault.open(inlet.secrets)["secret"])
    except Rejected:
        raise Rejected(
            "inlet.secret",
            "The secret that is there is none for this signature",
            "Give a new one with it; for Standard Webhooks whsec_ and 24 to 64 bytes in base64",
        ) from None


def remove(session: Session, by: By, inlet: Inlet) -> None:
    """It is no way in any more; what came in is forgotten with it, what came of that stays."""
    _hold(session, inlet)
    session.execute(sa.delete(Arrival).where(Arrival.inlet_id == inlet.id))
    session.delete(inlet)
    by.note(session, "inlet.remove", inlet.company_id, subject=inlet.name)
    session.flush()


def list_inlets(session: Session, company: Company) -> Sequence[Inlet]:
    """The company's, by name."""
    return session.scalars(sa.select(Inlet).where(Inlet.company_id == company.id).order_by(Inlet.name)).all()


def find(session: Session, company: Company, name: str) -> Inlet:
    """One by its name. Raises Rejected inlet.unknown."""
    wanted = sa.select(Inlet).where(Inlet.company_id == company.id, Inlet.name == name)
    if found := session.scalars(wanted).one_or_none():
        return found
    raise Rejected(
        "inlet.unknown", "There is no inlet %(name)r", "See `leaseline inlet list`", name=name[:60]
    )


def by_key(session: Session, key: str) -> Inlet:
    """The inlet that an address names. Raises Rejected inlet.unknown."""
    if found := session.scalars(sa.select(Inlet).where(Inlet.key == key)).one_or_none():
        return found
    raise Rejected("inlet.unknown", "There is no such inlet", "Compare the address with that of the settings")


def list_arrivals(session: Session, inlet: Inlet, limit: int = 50) -> Sequence[Arrival]:
    """What came in there, the newest first; of several alike the last counts."""
    wanted = sa.select(Arrival).where(Arrival.inlet_id == inlet.id)
    return session.scalars(wanted.order_by(Arrival.at.desc(), Arrival.id.desc()).limit(limit)).all()


def newest_arrivals(session: Session, company: Company) -> dict[int, Arrival]:
    """Of each inlet the newest."""
    place = sa.func.row_number().over(
        partition_by=Arrival.inlet_id, order_by=(Arrival.at.desc(), Arrival.id.desc())
    )
    theirs = sa.select(Arrival.id, place.label("place")).join(Inlet, Inlet.id == Arrival.inlet_id)
    ranked = theirs.where(Inlet.company_id == company.id).subquery()
    newest = sa.select(ranked.c.id).where(ranked.c.place == 1)
    return {it.inlet_id: it for it in session.scalars(sa.select(Arrival).where(Arrival.id.in_(newest)))}


def address_of(inlet: Inlet, web_url: str, secret: str | None = None) -> str:
    """Where it is told; with the token, where it stands in the address and is known."""
    at = f"{web_url.rstrip('/')}/in/{inlet.key}"
    if inlet.signature is Signature.TOKEN_QUERY:
        return f"{at}?{inlet.place}={secret or 'SECRET'}"
    return at


def persons_of(session: Session, inlet: Inlet) -> dict[str, str]:
    """Whom its words mean, by the names that targets have now."""
    wanted = sa.select(Target.id, Target.name).where(Target.company_id == inlet.company_id)
    names = {row.id: row.name for row in session.execute(wanted)}
    return {word: names[number] for word, number in inlet.persons.items() if number in names}


def describe(session: Session, inlet: Inlet, web_url: str) -> dict[str, Any]:
    """An inlet as JSON, without its secret."""
    return {
        "id": inlet.id,
        "name": inlet.name,
        "address": address_of(inlet, web_url),
        "signature": inlet.signature.value,
        "place": inlet.place or None,
        "mapping": in_order(inlet.mapping),
        "persons": persons_of(session, inlet),
        "over_people": inlet.over_people,
        "created_at": inlet.created_at,
        "changed_at": inlet.changed_at,
    }


def describe_arrival(it: Arrival) -> dict[str, Any]:
    """What came in, as JSON."""
    return {
        "at": it.at,
        "times": it.times,
        "became": it.became.value,
        "problem": it.problem,
        "message_id": it.message_id,
        "results": it.results,
        "places": it.places,
    }


def in_order(mapping: Mapping[str, str]) -> dict[str, str]:
    """The words of a mapping as people read them: places first, statuses after."""
    return {word: mapping[word] for word in WORDS if word in mapping}


def new_secret(signature: Signature) -> str:
    """A secret that nobody can guess: 256 bits."""
    if signature is Signature.STANDARD:
        return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(32)


def _words(words: Mapping[str, str]) -> dict[str, str]:
    kept = {name.strip(): value.strip() for name, value in words.items() if value.strip()}
    read_way(kept)
    return kept


def _persons(session: Session, company: Company, told: Mapping[str, str]) -> dict[str, int]:
    if len(told) > MOST_PERSONS:
        raise Rejected("inlet.persons", "%(most)s people are enough", "Give fewer", most=MOST_PERSONS)
    kept = {word.strip()[:100]: name.strip() for word, name in told.items() if word.strip() and name.strip()}
    return {word: targets.get(session, company, name).id for word, name in kept.items()}


def _without(persons: Mapping[str, int], told: Mapping[str, str]) -> dict[str, int]:
    """Those that were told as empty are gone."""
    return {word: number for word, number in persons.items() if told.get(word, "?").strip()}


def _new_name(session: Session, company: Company, name: str) -> str:
    name = read_title(name, "inlet", 60)
    if name in (each.name for each in list_inlets(session, company)):
        raise Rejected(
            "inlet.duplicate", "There is an inlet %(name)r already", "Choose another name", name=name
        )
    return name


def _detail(inlet: Inlet) -> dict[str, Any]:
    return {
        "signature": inlet.signature.value, "place": inlet.place, "mapping": dict(inlet.mapping),
        "persons": dict(inlet.persons), "over_people": inlet.over_people,
    }  # fmt: skip


def _hold(session: Session, inlet: Inlet) -> None:
    gone = Rejected(
        "inlet.unknown", "There is no inlet %(name)r", "See `leaseline inlet list`", name=inlet.name
    )
    hold(session, inlet, gone)
