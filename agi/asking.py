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


def _ask_asterisk(question: dict[str, Any]) -> dict[str, Any]:
    """Log in, ask, and collect the list if the answer is one."""
    link = manager.Manager()
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
    response = link.send_action(dict(fields))
    headers: Fields = dict(response.headers)
    if response.data:
        headers["Data"] = response.data
    return headers


if __name__ == "__main__":
    print(json.dumps(_ask_asterisk(json.load(sys.stdin))), flush=True)  # noqa: T201
    os._exit(0)  # pyst2's threads would wait for a log-off that nobody answers
