"""The AMI link against an Asterisk that goes wrong in every way that was seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from support.fake_ami import FakeAmi, encoded
from support.ports import free_port

from agi.ami import ActionRefused, Inbox, Link, LinkDown, Login, Timing

QUICK = Timing(
    connect_seconds=0.5,
    answer_seconds=0.3,
    watchdog_seconds=0.1,
    first_pause_seconds=0.05,
    longest_pause_seconds=0.1,
    refused_pause_seconds=0.1,
)


@asynccontextmanager
async def linked(ami: FakeAmi, timing: Timing = QUICK, inbox: int = 1000) -> AsyncIterator[Link]:
    link = Link(Login("127.0.0.1", ami.port, "leaseline", "secret"), timing, inbox)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        link.close()
        async with asyncio.timeout(3):
            await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  (what is waited for has no event)
            await asyncio.sleep(0.005)


def scenario(test: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(15):
            await test()

    asyncio.run(run())


def test_events_arrive_whole_and_in_order_also_when_split_inside_a_letter() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            data = b"".join(
                encoded({"Event": "Hangup", "CallerIDName": "Jörg Müller", "N": str(number)})
                for number in range(5)
            )
            for position in range(len(data)):
                await ami.say_bytes(data[position : position + 1])
            await until(lambda: len(link.inbox._events) == 6)
            booted, *events = link.inbox.take()
            assert booted["Event"] == "FullyBooted"
            assert [event["N"] for event in events] == list("01234")
            assert {event["CallerIDName"] for event in events} == {"Jörg Müller"}

    scenario(test)


def test_bytes_that_are_not_utf_8_and_nonsense_do_not_break_the_link() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            await ami.say_bytes(b"\xff\xfe\r\n\r\nEvent: \r\n\r\n: \r\n\r\nResponse\r\n\r\n")
            await ami.say_bytes(b"Event: Hangup\r\nName: J\xf6rg\r\n\r\n")
            await until(lambda: any(event["Event"] == "Hangup" for event in link.inbox._events))
            assert ami.logins == 1

    scenario(test)


def test_an_answer_that_panoramisk_trips_over_neither_breaks_the_link_nor_loses_what_follows() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            ami.answers["Redirect"] = [{"Response": "Success", "Message": "Redirect successfully queued"}]
            with pytest.raises(TimeoutError):  # no `Async` in the action: KeyError inside panoramisk
                await link.ask("Redirect", Channel="PJSIP/x")
            await ami.say({"Event": "Hangup", "N": "1"})
            await until(lambda: any(event["Event"] == "Hangup" for event in link.inbox._events))
            assert ami.logins == 1
            assert link.protocol is not None
            waiting = [action["Action"] for action in link.protocol.responses.values()]
            assert "Redirect" not in waiting

    scenario(test)


def test_a_peer_that_stops_answering_is_noticed_and_left() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            ami.silent = True
            await until(lambda: not link.up)
            ami.silent = False
            await until(lambda: link.up)
            assert ami.logins == 2
            assert link.inbox.gap

    scenario(test)


def test_a_peer_that_never_answers_the_login_is_left() -> None:
    async def test() -> None:
        async with FakeAmi() as ami:
            ami.silent = True
            async with linked(ami) as link:
                await ami.asked("Login", 2)
                assert not link.up
                with pytest.raises(LinkDown):
                    await link.ask("CoreStatus")

    scenario(test)


def test_a_refused_login_is_said_once_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with FakeAmi() as ami:
            ami.refuses_logins = True
            async with linked(ami) as link:
                await ami.asked("Login", 3)
                assert not link.up
                assert "Authentication failed" in link.problem
                ami.refuses_logins = False
                await until(lambda: link.up)
                assert link.problem == ""

    scenario(test)
    refusals = [line for line in caplog.messages if "Authentication failed" in line]
    assert len(refusals) == 1
    assert "leaseline apply" in refusals[0]


def test_a_cut_in_the_middle_of_a_list_fails_the_question_and_the_link_comes_back() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            ami.cuts_after = "CoreShowChannels"
            with pytest.raises(LinkDown):
                await link.ask("CoreShowChannels")
            ami.cuts_after = None
            await until(lambda: link.up and ami.logins == 2)
            assert (await link.ask("CoreShowChannels"))[-1]["EventList"] == "Complete"

    scenario(test)


def test_nothing_unanswered_is_sent_again_after_a_reconnect() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            ami.silent = True
            asking = asyncio.create_task(link.ask("Originate", Async="true"))
            await ami.asked("Originate")
            await ami.cut()
            with pytest.raises(LinkDown):
                await asking
            ami.silent = False
            await until(lambda: link.up)
            await ami.asked("Ping", ami.count("Ping") + 2)
            assert ami.count("Originate") == 1

    scenario(test)


def test_an_error_or_a_line_break_is_refused() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            with pytest.raises(ActionRefused, match="Permission denied"):
                await link.ask("Originate")
            with pytest.raises(ActionRefused, match="line break"):
                await link.ask("Ping", Variable="x\r\n\r\nAction: Originate")
            assert ami.count("Originate") == 1

    scenario(test)


def test_a_closed_link_stays_closed_also_while_it_waits_to_connect_again() -> None:
    async def test() -> None:
        async with FakeAmi() as ami:
            async with linked(ami) as link:
                await until(lambda: link.up)
                await ami.cut()
                await until(lambda: not link.up)
            await asyncio.sleep(0.3)
            assert ami.logins == 1

    scenario(test)


def test_a_link_keeps_trying_until_asterisk_is_there() -> None:
    async def test() -> None:
        ami = FakeAmi()
        ami.port = free_port()
        async with linked(ami) as link:
            await asyncio.sleep(0.2)
            assert "no link" in link.problem
            async with ami:
                await until(lambda: link.up)

    scenario(test)


def test_a_message_without_end_does_not_eat_the_memory() -> None:
    async def test() -> None:
        async with FakeAmi() as ami, linked(ami) as link:
            await until(lambda: link.up)
            for _ in range(40):
                await ami.say_bytes(b"x" * 50_000)
            await until(lambda: ami.logins == 2)

    scenario(test)


def test_an_inbox_that_nobody_empties_stays_bounded_and_says_that_something_is_missing() -> None:
    async def test() -> None:
        inbox = Inbox(3)
        for number in range(10):
            inbox.put({"N": str(number)})
        assert inbox.gap
        assert inbox.dropped == 7
        assert [event["N"] for event in inbox.take()] == ["0", "1", "2"]

    scenario(test)
