"""The live list, folded from what a real Asterisk said, and from what it might have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.agi_traces import HANDED_ON, LISTED

from agi.livelist import LiveList

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def states(rows: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    return [(row["state"], row["target"]) for row in rows]


def told(events: list[dict[str, str]], live: LiveList | None = None) -> LiveList:
    live = live or LiveList()
    for second, event in enumerate(events):
        live.apply(event, after(second))
    return live


def test_a_call_that_is_handed_on_is_followed_to_its_end() -> None:
    live = LiveList()
    story: list[list[tuple[str, int | None]]] = []
    for second, event in enumerate(HANDED_ON):
        live.apply(event, after(second))
        if not story or story[-1] != states(live.rows()):
            story.append(states(live.rows()))
    assert story == [
        [("arriving", None)],
        [("ringing", 2)],  # over a trunk: known by its place in the dialplan
        [("arriving", None)],
        [("ringing", 1)],
        [("talking", 1)],
        [("talking", None)],
        [("ringing", 2)],
        [("talking", 2)],
        [("talking", None)],
        [],
    ]


def test_a_row_says_since_when_each_state_lasts() -> None:
    (row,) = told(HANDED_ON[:1]).rows()
    assert row == {
        "call": "call-1",
        "state": "arriving",
        "since": NOON.isoformat(),
        "started": NOON.isoformat(),
        "did": "",
        "target": None,
    }
    assert told(HANDED_ON[:3]).rows()[0]["since"] == after(2).isoformat()
    assert told(HANDED_ON[:8]).rows()[0]["since"] == after(7).isoformat()


def test_nothing_is_kept_of_calls_that_are_over() -> None:
    assert not told(HANDED_ON)._channels


def test_every_event_twice_changes_nothing() -> None:
    twice = [event for event in HANDED_ON[:8] for _ in range(2)]
    assert states(told(twice).rows()) == [("talking", 1)]


def test_channels_that_are_no_call_of_ours_are_not_listed() -> None:
    live = told([dict(event, AccountCode="") for event in HANDED_ON])
    assert live.rows() == []


def test_a_colleague_who_is_put_through_is_the_one_who_talks() -> None:
    live = told(HANDED_ON[:8])
    guest = {
        "Channel": "PJSIP/target-7-00000020",
        "AccountCode": "",
        "Uniqueid": "main-9",
        "Linkedid": "main-9",
    }
    enters = {"Event": "BridgeEnter", "BridgeUniqueid": "bridge-1"} | guest
    live.apply(dict(enters, BridgeUniqueid="bridge-5"), after(20))  # the colleagues talk first
    assert states(live.rows()) == [("talking", 1)]
    leaves = dict(HANDED_ON[8])
    for event in (
        dict(enters, Event="BridgeLeave", BridgeUniqueid="bridge-5"),
        leaves,
        enters,
        HANDED_ON[10],
    ):
        live.apply(event, after(21))
    assert states(live.rows()) == [("talking", 7)]
    live.apply({"Event": "Hangup"} | guest, after(30))
    live.apply(HANDED_ON[-1], after(30))
    assert not live._channels


def test_whoever_was_called_and_handed_on_is_still_a_call() -> None:
    def event(kind: str, who: str, **more: str) -> dict[str, str]:
        channels = {"1.1": "PJSIP/target-1-01", "1.2": "PJSIP/trunk-2-02"}
        told = {"Event": kind, "Uniqueid": who, "Linkedid": "1.1", "Channel": channels[who]}
        return told | {"AccountCode": "out-1", "BridgeUniqueid": "b"} | more

    known = [event("NewAccountCode", who) for who in ("1.1", "1.2")]
    live = told([*known, *(event("BridgeEnter", who) for who in ("1.1", "1.2"))])
    assert [(row["call"], row["target"]) for row in live.rows()] == [("out-1", 1)]
    live.apply(event("Hangup", "1.1"), after(9))
    assert [(row["call"], row["state"]) for row in live.rows()] == [("out-1", "talking")]
    live.apply(event("BridgeLeave", "1.2"), after(12))
    assert live.rows() == []


def test_a_list_of_channels_puts_an_empty_list_right() -> None:
    live = LiveList()
    live.replace(LISTED, after(10))
    (row,) = live.rows()
    assert (row["state"], row["target"]) == ("talking", 1)
    assert row["started"] == after(8).isoformat()


def test_a_list_of_channels_keeps_the_instants_that_still_hold() -> None:
    live = told(HANDED_ON[:8])
    before = live.rows()
    live.replace(LISTED, after(100))
    assert live.rows() == before


def test_a_list_of_channels_forgets_what_ended_unseen() -> None:
    live = told(HANDED_ON[:8])
    live.replace([], after(100))
    assert live.rows() == []


def test_a_target_that_rings_over_a_trunk_is_named_after_a_gap_too() -> None:
    base = {"Event": "CoreShowChannel", "AccountCode": "call-1", "Linkedid": "main-1", "Duration": "00:00:05"}
    caller = {
        "Channel": "PJSIP/trunk-1-1",
        "Uniqueid": "main-1",
        "Context": "leaseline-targets",
        "Exten": "4",
    }
    leg = {"Channel": "PJSIP/trunk-2-2", "Uniqueid": "main-2", "ChannelStateDesc": "Ringing", "Context": "x"}
    live = LiveList()
    live.replace([base | leg, base | caller], after(10))
    assert states(live.rows()) == [("ringing", 4)]


def test_events_of_before_the_list_that_are_folded_after_it_do_no_harm() -> None:
    for first in range(len(HANDED_ON[:8])):
        live = LiveList()
        live.replace(LISTED, after(0))
        told(HANDED_ON[first:8], live)
        assert states(live.rows()) == [("talking", 1)], first


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "Event": st.sampled_from(
                    ["NewAccountCode", "DialState", "BridgeEnter", "BridgeLeave", "Hangup", "Other"]
                ),
                "Uniqueid": st.sampled_from(["", "a", "b", "c"]),
                "Linkedid": st.sampled_from(["a", "b"]),
                "AccountCode": st.sampled_from(["", "k1", "k2", "bad key\n"]),
                "Channel": st.sampled_from(["PJSIP/trunk-1-0", "PJSIP/target-3-0", "Local/x", ""]),
                "BridgeUniqueid": st.sampled_from(["", "p", "q"]),
                "DestUniqueid": st.sampled_from(["", "a", "b", "c"]),
                "DialStatus": st.sampled_from(["RINGING", "PROGRESS", "BUSY", ""]),
                "Duration": st.sampled_from(["", "00:00:01", "x:y:z", "99:99:99"]),
                "Context": st.sampled_from(["leaseline-targets", "x"]),
                "Exten": st.sampled_from(["3", "s", "+49301", "٣"]),
            }
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_no_order_of_events_breaks_it_and_hangups_empty_it(events: list[dict[str, str]], cut: int) -> None:
    live = told(events[:cut])
    live.replace([dict(event, Event="CoreShowChannel") for event in events[:5]], after(50))
    told(events[cut:], live)
    for row in live.rows():
        assert row["state"] in {"arriving", "ringing", "talking"}
        assert row["call"] in {"k1", "k2"}
    told([{"Event": "Hangup", "Uniqueid": uniqueid} for uniqueid in "abc"], live)
    assert not live._channels
