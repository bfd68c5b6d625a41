"""docs/sources.md names what there is."""

from __future__ import annotations

import re

from tracker.policy.channel_groups import ChannelGroup
from tracker.policy.click_ids import CLICK_IDS, OPENSTAT_PARTS
from tracker.policy.sources import KEPT
from tracker.settings import CHECKOUT

PAGE = (CHECKOUT / "docs" / "sources.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_click_id_is_documented_with_what_it_gives() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \| (yes|no) \|$", section("Click ids"), re.MULTILINE)
    assert rows == [
        (each.name, f"{each.source} / {each.medium}", "yes" if each.paid else "no")
        if each.source
        else (each.name, "-", "no")
        for each in CLICK_IDS
    ]


def test_every_channel_group_is_documented_in_its_order() -> None:
    rows = re.findall(r"^\| ([A-Z][\w -]+) \| ", section("Channel groups"), re.MULTILINE)
    assert rows == [each.value for each in ChannelGroup]


def test_every_parameter_that_is_kept_is_documented() -> None:
    assert {name for name in (*KEPT, *OPENSTAT_PARTS) if f"`{name}`" not in PAGE} == set()
