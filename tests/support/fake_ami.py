"""A manager interface that goes wrong on demand, for faults that a real Asterisk will not show when asked.

async with FakeAmi() as ami:
    ami.answers["CoreShowChannels"] = [...]       # messages, as dicts
    await ami.say({"Event": "Hangup", ...})
    ami.silent = True                             # half-open: reads, never answers
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from support.ports import free_port

Message = dict[str, str]
EMPTY_LIST = [
    {"Response": "Success", "EventList": "start", "Message": "Channels will follow"},
    {"Event": "CoreShowChannelsComplete", "EventList": "Complete", "ListItems": "0"},
]


class FakeAmi:
    def __init__(self) -> None:
        self.port = free_port()
        self.received: list[Message] = []
        self.logins = 0
        self.silent = False
        self.refuses_logins = False
        self.cuts_after: str | None = None  # an action, whose answer is cut off with the connection
        self.answers: dict[str, list[Message]] = {
            "CoreShowChannels": EMPTY_LIST,
            "CoreSettings": [{"Response": "Success", "AsteriskVersion": "22.10.1"}],
            "Ping": [{"Response": "Success", "Ping": "Pong"}],
        }
        self.changed = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut(listening=False)

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def cut(self, *, listening: bool = True) -> None:
        """Drop every connection, and nobody comes in any more unless `listening`."""
        if not listening:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def say(self, message: Message) -> None:
        await self.say_bytes(encoded(message))

    async def say_bytes(self, data: bytes) -> None:
        for writer in list(self._writers):
            writer.write(data)
            await writer.drain()

    async def asked(self, action: str, times: int = 1) -> None:
        """Wait until the action was received so many times."""
        async with self.changed, asyncio.timeout(5):
            await self.changed.wait_for(lambda: self.count(action) >= times)

    def count(self, action: str) -> int:
        return sum(message.get("Action") == action for message in self.received)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                message = dict(line.split(": ", 1) for line in text.strip().split("\r\n") if ": " in line)
                self.received.append(message)
                if not self.silent:
                    self._answer(message, writer)
                async with self.changed:
                    self.changed.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, message: Message, writer: asyncio.StreamWriter) -> None:
        action, number = message["Action"], {"ActionID": message.get("ActionID", "")}
        if action == "Login":
            self._log_in(number, writer)
            return
        answers = self.answers.get(action, [{"Response": "Error", "Message": "Permission denied"}])
        data = b"".join(encoded(answer | number) for answer in answers)
        if action == self.cuts_after:
            writer.write(data[: len(data) // 2])
            writer.close()
        else:
            writer.write(data)

    def _log_in(self, number: Message, writer: asyncio.StreamWriter) -> None:
        if self.refuses_logins:
            writer.write(encoded({"Response": "Error", "Message": "Authentication failed"} | number))
            writer.close()
            return
        self.logins += 1
        writer.write(encoded({"Response": "Success", "Message": "Authentication accepted"} | number))
        writer.write(encoded({"Event": "FullyBooted", "Uptime": "100", "Status": "Fully Booted"}))


def encoded(message: Message) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in message.items()).encode() + b"\r\n"
