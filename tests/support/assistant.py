"""An assistant that asks: the protocol's own client, before a server in this process or a real one.

with assistant(server(desk)) as asking:
    asking.ask("report", by="keyword")
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, TextContent, Tool


class Assistant:
    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self._portal, self._client = portal, client

    def tools(self) -> list[Tool]:
        return self._portal.call(self._client.list_tools).tools

    def ask(self, tool: str, **words: Any) -> dict[str, Any]:
        """The answer; its text says the same."""
        found = self._call(tool, words)
        assert not found.is_error, text_of(found)
        assert found.structured_content is not None
        assert json.loads(text_of(found)) == found.structured_content
        return dict(found.structured_content)

    def refused(self, tool: str, **words: Any) -> str:
        """What was said instead of an answer."""
        found = self._call(tool, words)
        assert found.is_error
        return text_of(found)

    def prompt(self, name: str, **words: str) -> str:
        found = self._portal.call(self._client.get_prompt, name, words)
        content = found.messages[0].content
        assert isinstance(content, TextContent)
        return content.text

    def instructions(self) -> str:
        return self._client.instructions or ""

    def _call(self, tool: str, words: dict[str, Any]) -> CallToolResult:
        found: CallToolResult = self._portal.call(self._client.call_tool, tool, words)
        return found


def text_of(found: CallToolResult) -> str:
    (content,) = found.content
    assert isinstance(content, TextContent)
    return content.text


@contextmanager
def assistant(server: MCPServer[Any] | AbstractAsyncContextManager[Any]) -> Iterator[Assistant]:
    """Connected to that server, or over that transport, until the end."""
    with start_blocking_portal() as portal:
        client: Client = portal.call(lambda: _client(server))
        with portal.wrap_async_context_manager(client):
            yield Assistant(portal, client)


async def _client(server: Any) -> Client:
    return Client(server)
