"""Where CRMs and shops tell us: one address an inlet, proven by its signature, without a key or a log-in.

docs/integrator.md describes it from the outside.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from sqlalchemy.exc import OperationalError

from tracker import arriving, inlets
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Inlet
from tracker.policy.inlets import DOES
from tracker.policy.mapped_rows import unfolded
from tracker.policy.signatures import Received, message_id, wrong
from tracker.policy.tables import BadRows
from web.house import house
from web.limits import Buckets, Rate
from web.public import from_anywhere
from web.viewer import client_address

door = Blueprint("inlets", __name__)

LARGEST_BYTES = 256_000
MOST_FIELDS = 5_000  # of a form
# A CRM that moves a thousand deals at once tells of each; more than that is none, and tells again later.
ARRIVALS = Rate(1_000, 20)


def install(app: Flask, clock: Callable[[], float]) -> None:
    """Registers the address; `clock` gives monotonic seconds."""
    app.extensions["leaseline.inlets"] = Buckets(ARRIVALS, clock)
    app.register_blueprint(door)


@door.post("/in/<inlet_key>")
@from_anywhere
def arrive(inlet_key: str) -> Response:
    """Takes a message: sales, what calls were worth, who is responsible; says of each what became of it."""
    request.max_content_length = LARGEST_BYTES
    buckets: Buckets = current_app.extensions["leaseline.inlets"]
    if buckets.take(client_address()):
        raise Rejected("inlet.too_many", "Too many messages from this address", "Try again in a minute")
    body, now = request.get_data(cache=False), house().clock()
    with house().database.read() as session:
        inlet = inlets.by_key(session, inlet_key)
        session.expunge(inlet)
    told, proven = read_message(body, request.mimetype, request.args.to_dict()), False
    received = _received(inlet, body, told)
    try:
        _prove(inlet, received)
        proven = True
        if told is None:
            raise Rejected("inlet.malformed", "This is neither JSON nor a form", "Send one of them")
        by = By(now, arriving.actor_of(inlet), client_address())
        with house().database.write() as session:
            mine = inlets.by_key(session, inlet_key)
            results = arriving.take(session, mine, told, by, message_id(inlet.signature, received))
    except (Rejected, BadRows) as problem:
        refused = refusal(problem)
        _note(inlet, refused.message, told if proven else None)
        raise refused from None
    took = any(each.what in DOES for each in results)
    return jsonify(became="taken" if took else "nothing", results=[each.document() for each in results])


def read_message(body: bytes, mimetype: str, query: dict[str, str]) -> Any:
    """A message, JSON or a form, with what stands in its address at `query`; None where it is neither."""
    told: Any = {}
    if body.strip() and mimetype == "application/x-www-form-urlencoded":
        told = _form(body)
    elif body.strip():
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            # Some say of a form that it is JSON, or nothing at all.
            told = _form(body)
    if isinstance(told, dict):
        return {**told, "query": query} if query else told
    return told if isinstance(told, list) else None


def _form(body: bytes) -> Any:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # no UTF-8, too many fields
        return None
    return unfolded(dict(pairs)) if pairs else None


def sample(body: str, query: str) -> Any:
    """A sample as somebody typed it: a message's body, and the words of its address."""
    told = read_message(body.strip().encode(), "", dict(parse_qsl(query.strip().lstrip("?"))))
    if told is None:
        raise Rejected("inlet.malformed", "This is neither JSON nor a form", "Send one of them")
    return told


def _received(inlet: Inlet, body: bytes, told: Any) -> Received:
    query = request.query_string.decode("latin-1")
    url = f"{house().settings.web_url.rstrip('/')}/in/{inlet.key}" + (f"?{query}" if query else "")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Received(request.method, url, headers, request.args.to_dict(), body, told)


def _prove(inlet: Inlet, received: Received) -> None:
    """Raises Rejected inlet.signature for what is not proven to be theirs, or was sent too long ago."""
    secret = house().vault.open(inlet.secrets)["secret"]
    problem = wrong(inlet.signature, inlet.place, secret, received, house().clock())
    if problem is not None:
        raise Rejected(
            "inlet.signature", problem, "Compare secret and signature with those of `leaseline inlet show`"
        )


def refusal(problem: Rejected | BadRows) -> Rejected:
    """What is wrong with a message, in one sentence."""
    if isinstance(problem, Rejected):
        return problem
    first = problem.problems[0]
    return Rejected(
        "rows.bad",
        "Row %(row)s, %(column)s: %(problem)s; nothing was stored",
        "Mend the mapping or the message, and send it again",
        row=first.line,
        column=first.column,
        problem=first.said,
    )


def _note(inlet: Inlet, problem: str, told: Any) -> None:
    """That it was refused is worth a row, and nothing more than that: a busy database may do without."""
    try:
        with house().database.write() as session:
            arriving.refuse(session, inlet, house().clock(), problem, told)
    except OperationalError:
        current_app.logger.warning("inlet=%s: a refusal was not written down", inlet.id)
