"""An operation of the API, declared beside its view: checks, transaction, answer and document follow from it.

    @api.patch("/channels/<channel>")
    @operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=ChannelChange, answer=Channel, current=show)
    def change(asked: Asked[Query, ChannelChange], channel: str) -> Told: ...

The view gets what was asked, checked, with one company and one open transaction, and returns what is told.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from flask import request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import owned
from tracker.audit import By
from tracker.companies import one_at_a_time
from tracker.errors import Rejected
from tracker.models import Company
from tracker.owned import Owned
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.public import by_key_for
from web.rest import repeats, throttle
from web.rest.answering import answer_of, dumped, settled, tagged
from web.rest.reading import read_body, read_query
from web.rest.shapes import Query
from web.viewer import hand, need_scope, viewer

Q = TypeVar("Q", bound=Query)
B = TypeVar("B")
Told = Mapping[str, Any] | None
View = Callable[..., Any]
Owner = Callable[[Session, Collection[int], Mapping[str, str]], int]


@dataclass(frozen=True)
class Asked(Generic[Q, B]):
    """What an operation was asked: its words, its body, of which company, by whom, in which transaction.

    `ready`: what was made before the transaction, where the operation says `before`.
    """

    session: Session
    company: Company
    by: By
    query: Q
    body: B
    ready: Any = None

    def own(self, model: type[Owned], thing: str) -> Owned:
        """The company's thing of that id in the address. Raises Rejected *.unknown."""
        return owned.find(self.session, model, self.company.id, row_id(thing))


@dataclass(frozen=True)
class Made:
    """What was made, and the path where it is from now on."""

    told: Mapping[str, Any]
    location: str


class More(TypedDict, total=False):
    """What may be said of an operation beside who may ask it.

    `bare`: its view reads the request and makes the answer itself. `current`: the view that shows what a
    change changes, so that `If-Match` can be held against it. `content`: what the answer is if not JSON, one
    kind or several. `before`: looks at what is asked, and gives the work that takes a while; done outside any
    transaction. `forms`: a body may be a form as well as JSON. `also`: what else a bare view takes. `owner`:
    finds the company of the thing that the address names, so that who sees several need not name it. `more`:
    answers that only this one has, by status, with what they mean. `besides`: scopes that a key needs as
    well, where what is made does more than its own scope allows. `set_by_people`: what of its answer only
    somebody changes, where the rest changes by itself; `If-Match` is held against that alone.
    """

    query: type[Query]
    body: type[BaseModel]
    answer: type[BaseModel]
    status: int
    bare: bool
    current: View
    content: str | tuple[str, ...]
    before: View
    more: Mapping[int, str]
    forms: bool
    also: tuple[str, ...]
    owner: Owner
    besides: tuple[Scope, ...]
    set_by_people: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Operation:
    """What is known of an operation beside its address and its text: `More` says of each."""

    scope: Scope
    right: Right
    view: View
    query: type[Query] = Query
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    bare: bool = False
    current: View | None = None
    content: str | tuple[str, ...] = "application/json"
    before: View | None = None
    more: Mapping[int, str] = field(default_factory=dict)
    forms: bool = False
    also: tuple[str, ...] = ()
    owner: Owner | None = None
    besides: tuple[Scope, ...] = ()
    set_by_people: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None

    @property
    def contents(self) -> tuple[str, ...]:
        return (self.content,) if isinstance(self.content, str) else self.content

    @property
    def summary(self) -> str:
        return (self.view.__doc__ or "").strip().split("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        return "\n".join(line.strip() for line in (self.view.__doc__ or "").strip().split("\n")[1:]).strip()


_OPERATIONS: dict[Callable[..., Any], Operation] = {}


def operation_of(view: View | None) -> Operation | None:
    """What was declared of a view; None: it is none of the API."""
    return _OPERATIONS.get(view) if view else None


def operation(scope: Scope, right: Right = Right.LISTEN, **more: Unpack[More]) -> Callable[[View], View]:
    """Declares a view an operation: for keys with that scope, and people with that right."""

    def declare(view: View) -> View:
        it = Operation(scope, right, view, **more)

        @functools.wraps(view)
        def run(**path: str) -> Any:
            with throttle.counted():
                need_scope(*it.besides)
                if it.bare and it.query is Query:  # its words are its own
                    return view(**path)
                words = read_query(it.query)
                return view(**path) if it.bare else _carry_out(it, words, path)

        _OPERATIONS[run] = it
        return by_key_for(scope)(run)

    return declare


def _carry_out(it: Operation, words: Query, path: Mapping[str, str]) -> Response:
    told = read_body(it.body) if it.body else None
    database, company_id = house().database, _company_of(it, path)

    def asked(session: Session, ready: Any = None) -> Asked[Any, Any]:
        return Asked(session, session.get_one(Company, company_id), hand(), words, told, ready)

    if request.method in {"GET", "HEAD"}:
        with database.read() as session:
            shown = it.view(asked(session), **path)
            return answer_of(it.status, dumped(shown), tag=_tag(it, shown))
    ready = None
    if it.before is not None:
        with database.read() as session:
            work = it.before(asked(session), **path)
        ready = work()
    with database.write() as session:
        return repeats.once(session, company_id, lambda: _change(it, asked(session, ready), path))


def _company_of(it: Operation, path: Mapping[str, str]) -> int:
    mine = viewer().company_ids
    if it.owner is None or len(mine) == 1:
        return the_company(it.right)
    with house().database.read() as session:
        company_id = it.owner(session, mine, path)
    viewer().need(it.right, company_id)
    return company_id


def _change(it: Operation, asked: Asked[Any, Any], path: Mapping[str, str]) -> tuple[int, str, str]:
    if it.current is not None and request.if_match:
        one_at_a_time(asked.session, asked.company)  # of two who saw the same, one is told of the other
        _refuse_outdated(it.current, asked, path)
    elif request.if_match:
        raise Rejected(
            "etag.unheld", "This operation holds If-Match against nothing", "Send it without that header"
        )
    told = it.view(asked, **path)
    if isinstance(told, Made):
        return it.status, dumped(told.told), told.location
    return it.status, dumped(told), ""


def _refuse_outdated(current: View, asked: Asked[Any, Any], path: Mapping[str, str]) -> None:
    it = _OPERATIONS[current]
    shown = it.view(Asked(asked.session, asked.company, asked.by, Query(), None), **path)
    seen = request.if_match
    if not seen.star_tag and settled(_tag(it, shown)) not in map(settled, filter(None, seen)):
        raise Rejected("etag.outdated", "It was changed since you looked", "Look at it anew, and try again")


def _tag(it: Operation, shown: Told) -> str:
    """The tag of an answer: of what people set and of the whole, where these change apart."""
    whole = tagged(dumped(shown))
    if it.set_by_people is None or shown is None:
        return whole
    return f"{tagged(dumped(it.set_by_people(shown)))}.{whole}"


def the_company(right: Right) -> int:
    """The company meant: the only one that is looked at, or chosen by `?company=`, if one has that right."""
    mine = viewer().companies
    if len(mine) != 1:
        raise Rejected("company.which", "This is about one company", "Name it: ?company=NAME")
    viewer().need(right, mine[0].id)
    return mine[0].id
