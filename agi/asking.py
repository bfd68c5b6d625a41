"""The process that agi.oneshot starts and kills: one AMI action by pyst2, JSON in, one line of JSON out.

It imports nothing of ours, so that it starts quickly.
"""

# pyst2 has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import json
import os
import queue
import sys
from typing import Any

from asterisk import manager

Fields = dict[str, str]


def ask_asterisk(link: Any, question: dict[str, Any]) -> dict[str, Any]:
    """Log in, ask, and collect the list if the answer is one."""
    listed: queue.Queue[Fields] = queue.Queue()
    link.register_event("*", lambda event, _link: listed.put(dict(event.headers)))
    try:
        link.connect(question["host"], question["port"])
        login = {"Username": question["username"], "Secret": question["secret"], "Events": "off"}
        refused = _answer(link, {"Action": "Login", **login})
        if refused.get("Response") == "Error":
            return {"error": "login", "message": refused.get("Message", "no reason given")}
        first = _answer(link, question["fields"])
    except manager.ManagerException as error:
        return {"error": "unreachable", "message": str(error.args[-1] if error.args else error)}
    if first.get("Response") in {"Error", "Failure"}:
        return {"error": "refused", "message": first.get("Message", "no reason given")}
    answer = [first]
    while first.get("EventList") == "start" and answer[-1].get("EventList") != "Complete":
        event = listed.get()
        if event.get("ActionID") == first.get("ActionID"):
            answer.append(event)
    return {"answer": answer}


def _answer(link: Any, fields: Fields) -> Fields:
    try:
        response = link.send_action(dict(fields))
    except ValueError:  # answered and hung up, as on a refused login, before pyst2 had flushed what it sent
        response = _came_before_the_end(link)
    headers: Fields = dict(response.headers)
    if response.data:
        headers["Data"] = response.data
    return headers


def _came_before_the_end(link: Any) -> Any:
    try:
        return link._response_queue.get(timeout=1)
    except queue.Empty:
        raise manager.ManagerSocketException(0, "it hung up without an answer") from None


if __name__ == "__main__":
    held = manager.Manager()  # until the exit: pyst2 would wait in __del__ for a log-off that nobody answers
    print(json.dumps(ask_asterisk(held, json.load(sys.stdin))), flush=True)  # noqa: T201
    os._exit(0)
