"""The live view between Asterisk's link and the database, through faults on either side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from support.agi_traces import HANDED_ON, LISTED
from support.fake_ami import EMPTY_LIST, FakeAmi

from agi.ami import Link, Login, Timing
from agi.live import LiveView, Pace
from tracker.database import Database
from tracker.models import Node

QUICK = Timing(0.5, 0.3, 0.2, 0.05, 0.1, 0.1)
PACE = Pace(heartbeat_seconds=0.2, between_writes_seconds=0.02, forget_seconds=0.3)
TALKING = [EMPTY_LIST[0], *LISTED, EMPTY_LIST[1]]


@asynccontextmanager
async def viewing(ami: FakeAmi, database: Database, inbox: int = 1000) -> AsyncIterator[LiveView]:
    link = Link(Login("127.0.0.1", ami.port, "leaseline", "secret"), QUICK, inbox)
    view = LiveView(link, database, "main", PACE)
    tasks = [asyncio.create_task(work()) for work in (link.run, view.follow, view.publish)]
    try:
        yield view
    finally:
        link.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        view.close()


def node_of(database: Database) -> Node | None:
    with database.read() as session:
        return session.get(Node, "main")


async def until(database: Database, true: Callable[[Node], bool]) -> Node:
    async with asyncio.timeout(8):
        while True:
            node = await asyncio.to_thread(node_of, database)
            if node is not None and true(node):
                return node
            await asyncio.sleep(0.01)


def states(node: Node) -> list[str]:
    return [row["state"] for row in node.live]


def test_what_asterisk_says_is_published(sqlite: Database) -> None:
    async def scenario() -> None:
        async with FakeAmi() as ami, viewing(ami, sqlite):
            node = await until(sqlite, lambda node: node.ami_up)
            assert node.asterisk_version == "22.10.1"
            await until(sqlite, lambda node: node.asterisk_started_at is not None)
            for event in HANDED_ON[:8]:
                await ami.say(event)
            await until(sqlite, lambda node: states(node) == ["talking"])
            for event in HANDED_ON[8:]:
                await ami.say(event)
            await until(sqlite, lambda node: states(node) == [])

    asyncio.run(scenario())


def test_calls_that_were_up_before_the_login_are_found(sqlite: Database) -> None:
    async def scenario() -> None:
        async with FakeAmi() as ami:
            ami.answers["CoreShowChannels"] = TALKING
            async with viewing(ami, sqlite):
                await until(sqlite, lambda node: states(node) == ["talking"])

    asyncio.run(scenario())


def test_after_a_cut_the_list_is_right_again(sqlite: Database) -> None:
    async def scenario() -> None:
        async with FakeAmi() as ami, viewing(ami, sqlite):
            ami.answers["CoreShowChannels"] = TALKING
            for event in HANDED_ON[:8]:
                await ami.say(event)
            await until(sqlite, lambda node: states(node) == ["talking"])
            await ami.cut(listening=False)
            await until(sqlite, lambda node: not node.ami_up and states(node) == [])
            await ami.listen()
            await until(sqlite, lambda node: node.ami_up and states(node) == ["talking"])
            ami.answers["CoreShowChannels"] = EMPTY_LIST  # it ends while we are away
            await ami.cut()
            await until(sqlite, lambda node: node.ami_up and states(node) == [])

    asyncio.run(scenario())


def test_a_list_cut_off_in_the_middle_is_asked_for_again(sqlite: Database) -> None:
    async def scenario() -> None:
        async with FakeAmi() as ami:
            ami.answers["CoreShowChannels"] = TALKING
            ami.cuts_after = "CoreShowChannels"
            async with viewing(ami, sqlite):
                await ami.asked("CoreShowChannels", 2)
                ami.cuts_after = None
                await until(sqlite, lambda node: states(node) == ["talking"])

    asyncio.run(scenario())


def test_a_flood_that_does_not_fit_is_put_right_by_asking(sqlite: Database) -> None:
    async def scenario() -> None:
        async with FakeAmi() as ami, viewing(ami, sqlite, inbox=10) as view:
            await until(sqlite, lambda node: node.ami_up)
            ami.answers["CoreShowChannels"] = TALKING
            flood = dict(HANDED_ON[0], AccountCode="")
            for _ in range(20):
                await asyncio.gather(*(ami.say(flood) for _ in range(100)))
            await until(sqlite, lambda node: states(node) == ["talking"])
            assert view._link.inbox.dropped > 0

    asyncio.run(scenario())


def test_a_database_that_is_away_makes_nothing_grow_and_gets_the_newest(sqlite: Database) -> None:
    impatient = Database(sqlite.url.render_as_string(), wait_seconds=0.05, connections=1)

    async def scenario() -> None:
        async with FakeAmi() as ami, viewing(ami, impatient) as view:
            await until(sqlite, lambda node: node.ami_up)
            with sqlite.write() as session:
                session.connection()  # takes the writer's place
                while view.unpublished < 3:
                    await ami.say(HANDED_ON[0])
                    await asyncio.sleep(0.02)
                assert states_of(sqlite) == []
            await until(sqlite, lambda node: states(node) == ["arriving"])
            await until(sqlite, lambda _: not view.unpublished)  # reset just after the row is there

    asyncio.run(scenario())
    impatient.close()


def states_of(database: Database) -> list[str]:
    node = node_of(database)
    assert node is not None
    return states(node)
