"""Tones by country: Asterisk's own where it brings them, else those that are heard in most of the world."""

from __future__ import annotations

from pathlib import Path

from dialplan.facts import Facts, NumberFacts
from dialplan.program import Program
from dialplan.render import render
from dialplan.tones import zone_name, zones
from tracker.settings import Settings

SHIPPED = """
[general]
country=us\t\t; default location

[at]
description = Austria
ring = 420/1000, 0/5000 ; a reason
busy = 420/400,0/400
dial = no tone at all

[fr]
description = nothing that rings
"""


def test_a_zone_is_asterisks_own_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "conf" / "samples" / "indications.conf.sample"
    file.parent.mkdir(parents=True)
    file.write_text(SHIPPED)
    found = zones(tmp_path, ["at", "fr", "at", "ua", zone_name("GB")])
    assert list(found) == ["at", "fr", "ua", "uk"]  # most of the numbers are there
    assert found["at"] == {"ring": "420/1000,0/5000", "busy": "420/400,0/400"}
    assert found["fr"]["ring"] == "440/1500,0/3500"
    assert (found["ua"]["ring"], found["ua"]["ringcadence"]) == ("425/1000,0/4000", "1000,4000")
    assert found["uk"]["ring"].startswith("400+450/")


def test_callers_of_a_number_hear_the_tones_of_its_company(tmp_path: Path) -> None:
    numbers = tuple(
        NumberFacts(e164, 1, "x", record=False, rings=(), spellings=(), tones=tones)
        for e164, tones in (("+4930123456", "de"), ("+74951234567", "ru"))
    )
    program = Program("asterisk", (22, 10, 1), "", tmp_path, tmp_path)
    files = render(Settings(home=tmp_path), program, Facts((), (), numbers))
    assert "[de]\ndescription = de\nringcadence = 1000,4000\n" in files["indications.conf"]
    assert "country = de\n" in files["indications.conf"]
    assert files["numbers.conf"].count("Set(CHANNEL(tonezone)=ru)") == 1
    assert "[us]" in render(Settings(home=tmp_path), program, Facts((), (), ()))["indications.conf"]
