"""`leaseline saved`, and reports as workbooks, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Installation, furnish
from support.workbook import Book

from commands.context import Here
from commands.watching import report_jobs
from tracker.settings import read_settings


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    found = Installation(tmp_path)
    furnish(found)
    return found


def test_a_report_is_kept_shown_sent_shared_and_deleted(here: Installation, tmp_path: Path) -> None:
    assert here.json("saved", "list") == []
    made = here.json("saved", "add", "Campaigns", "by=campaign&period=last_month&x=1")
    assert made["words"] == "by=campaign&period=last_month"
    assert "no such report" in here.refused("saved", "show", "Spring")
    assert "(compared" not in here.done("saved", "show", "Campaigns")
    assert here.json("saved", "show", "Campaigns")["by"] == "campaign"
    file = tmp_path / "campaigns.xlsx"
    here.done("saved", "show", "Campaigns", "--xlsx", str(file))
    assert Book(file.read_bytes()).rows()[-1]["Campaign"] == "Total"
    words = ("saved", "schedule", "Campaigns", "--every", "month", "--day", "31", "--to", "a@x.example")
    sent = here.json(*words)
    assert (sent["every"], sent["day"], sent["hour"], sent["to"]) == ("month", 31, 8, ["a@x.example"])
    assert "is no e-mail address" in here.refused(*words, "--to", "b")
    assert "Every month: day 31, 08:00 to a@x.example" in here.done("saved", "list")
    link = here.json("saved", "share", "Campaigns", "--days", "90")["link"]
    assert "/shared/reports/" in link
    here.done("saved", "rename", "Campaigns", "Last month")
    here.done("saved", "unschedule", "Last month", str(sent["id"]))
    here.done("saved", "delete", "Last month")
    assert here.json("saved", "list") == []


def test_a_report_is_written_as_a_workbook(here: Installation, tmp_path: Path) -> None:
    file = tmp_path / "report.xlsx"
    assert here.done("report", "--by", "channel", "--period", "this_month", "--xlsx", str(file)) == ""
    assert Book(file.read_bytes()).rows()[-1]["Calls"] == 0


def test_the_worker_s_jobs_run_where_nothing_is_due(here: Installation) -> None:
    worker = Here()
    worker.__dict__["settings"] = read_settings(here.environ)
    for job in report_jobs(worker):
        job.run()
    worker.close()
