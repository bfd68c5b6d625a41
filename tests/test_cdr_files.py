"""Phone systems' own records: each preset's lines, growing and new files, bad lines, files read again."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from support.command import ready
from support.facts import Pallets, add_pallets

from tracker import call_folders, calls
from tracker.audit import By
from tracker.cdr_files import read_folders, read_whole
from tracker.database import Database
from tracker.judge import judge_pending
from tracker.models import Call, CallFolder, Company, QuarantinedLine
from tracker.policy.facts import Outcome, Presentation
from tracker.policy.reported_calls import Dids, How, ReportedLine

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")
ASTERISK = (
    '"","89151112233","84951234571","from-trunk","""Ivan"" <89151112233>","PJSIP/trunk-000001a1",'
    '"PJSIP/101-000001a2","Dial","PJSIP/101,25","2026-11-20 14:30:00","2026-11-20 14:30:07",'
    '"2026-11-20 14:31:07",67,60,"ANSWERED","DOCUMENTATION","1795174200.17",""\n'
)
CUCM = (
    '"cdrRecordType","globalCallID_callManagerId","globalCallID_callId","dateTimeOrigination",'
    '"callingPartyNumber","origCause_value","originalCalledPartyNumber","finalCalledPartyNumber",'
    '"destCause_value","dateTimeConnect","dateTimeDisconnect","duration"\n'
    "INTEGER,INTEGER,INTEGER,INTEGER,VARCHAR(50),INTEGER,VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,INTEGER,INTEGER\n"
)
AT = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
EPOCH = int(AT.timestamp())
FREEPBX = (
    "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,duration,billsec,disposition,uniqueid,did,"
    "cnum,cnam,linkedid\n"
    f'2026-11-20 14:30:00,"""Ivan"" <89151112233>",89151112233,600,ext-group,PJSIP/trunk-0001,'
    f"PJSIP/101-000001a2,Dial,67,60,ANSWERED,{EPOCH}.17,84951234571,89151112233,Ivan,{EPOCH}.17\n"
)
THREE = (
    "Call 12,0000013D26F2A6B0_7,00:01:00,2026/11/20 14:30:00,2026/11/20 14:30:07,2026/11/20 14:31:07,"
    "TerminatedBySrc,89151112233,Ext.101,10000,101,84951234571,,101,101,,,,,Chain: 89151112233;Ext.101;,"
    "LineSet,Extension,Extension,Ivan,Anna,Anna,\n"
)
AVAYA = (
    "2026/11/20 14:30:00,00:01:00,7,89151112233,I,101,84951234571,,0,1000014,0,E101,Anna,T9001,Line 1.1,0,0\n"
)
CISCO = f"1,1,4711,{EPOCH},89151112233,0,84951234571,101,16,{EPOCH + 7},{EPOCH + 67},60\n"
OWN = (
    "reference;did;caller;started_at;ring_seconds;talk_seconds\n"
    "1;84951234571;89151112233;20.11.2026 14:30:00;7;60\n"
)
MAILBOX = ASTERISK.replace('"PJSIP/101-000001a2"', '""').replace("Dial", "VoiceMail")


def how(zone: ZoneInfo = MOSCOW) -> How:
    dids = Dids([Pallets.leased, Pallets.billboard], "RU")
    return How(dids=dids, region="RU", zone=zone, now=NOW, strict=False)


def only(preset: str, text: str) -> ReportedLine:
    found = read_whole(text.encode(), preset, {}, how())
    assert not found.problems, found.problems
    (line,) = found.lines
    return line


@pytest.mark.parametrize(
    ("preset", "text"),
    [
        ("asterisk", ASTERISK), ("freepbx", FREEPBX), ("3cx", THREE), ("avaya", AVAYA),
        ("cucm", CUCM + CISCO), ("own", OWN),
    ],
)  # fmt: skip
def test_each_kind_of_phone_system_says_the_same_in_its_own_way(preset: str, text: str) -> None:
    line = only(preset, text)
    assert (line.did, line.caller, line.outcome) == (Pallets.leased, "89151112233", Outcome.ANSWERED)
    assert line.answered_at is not None
    assert (line.at, (line.answered_at - line.at).seconds, (line.ended_at - line.at).seconds) == (AT, 7, 67)
    assert ("101" in line.employee) == (preset != "own")


@pytest.mark.parametrize(
    ("preset", "text", "outcome"),
    [
        ("asterisk", ASTERISK.replace("ANSWERED", "NO ANSWER"), Outcome.MISSED),
        ("asterisk", MAILBOX, Outcome.MISSED),
        ("asterisk", ASTERISK.replace("ANSWERED", "BUSY"), Outcome.BUSY),
        ("3cx", THREE.replace("2026/11/20 14:30:07", ""), Outcome.GAVE_UP),
        ("avaya", AVAYA.replace("00:01:00", "00:00:00"), Outcome.MISSED),
        ("cucm", CUCM + CISCO.replace(f",{EPOCH + 7},", ",0,").replace(",16,", ",17,"), Outcome.BUSY),
    ],
)
def test_calls_that_no_person_took_are_missed_ones(preset: str, text: str, outcome: Outcome) -> None:
    line = only(preset, text)
    assert (line.outcome, line.answered_at, line.employee) == (outcome, None, "")


def test_what_is_no_call_of_a_customer_is_left_out_and_counted() -> None:
    rows = [
        ASTERISK,
        ASTERISK.replace("84951234571", "600"),
        ASTERISK.replace('"89151112233","8', '"anonymous","8'),
        "this is no call\n",
    ]
    found = read_whole("".join(rows).encode(), "asterisk", {}, how())
    assert [(it.line, it.presentation) for it in found.lines] == [
        (1, Presentation.ALLOWED), (3, Presentation.WITHHELD),
    ]  # fmt: skip
    assert (dict(found.left_out), dict(found.strange)) == ({"number": 1}, {"600": 1})
    assert [it.line for it in found.problems] == [4]
    out = read_whole(AVAYA.replace(",I,", ",O,").encode(), "avaya", {}, how())
    assert dict(out.left_out) == {"outgoing": 1}


def watch(database: Database, folder: Path, preset: str = "asterisk", files: str = "*.csv") -> None:
    with database.write() as session:
        add_pallets(session, NOW)
        company = session.get_one(Company, 1)
        company.timezone = "Europe/Moscow"
        call_folders.add_folder(
            session, By(NOW, "cli:ann"), company, "main", folder, preset=preset, files=files
        )


def counted(database: Database) -> tuple[int, int, int]:
    with database.read() as session:
        row = session.scalars(sa.select(CallFolder)).one()
        assert row.problem is None
        return row.calls, row.left_out, row.bad


def stories(database: Database) -> list[tuple[str, str, float | None]]:
    with database.read() as session:
        return [
            (it.number.e164, it.outcome or "", it.talk_seconds) for it in calls.list_calls(session, [1]).calls
        ]


def test_a_growing_file_is_followed_and_a_call_of_several_lines_is_one(
    database: Database, tmp_path: Path
) -> None:
    watch(database, tmp_path)
    file = tmp_path / "Master.csv"
    rang = ASTERISK.replace("ANSWERED", "NO ANSWER").replace("PJSIP/101-000001a2", "PJSIP/100-000001a0")
    file.write_text(rang + ASTERISK[:90])
    read_folders(database, NOW)
    assert stories(database) == [(Pallets.leased, "missed", None)]
    with file.open("a") as opened:
        opened.write(ASTERISK[90:] + "nonsense\n")
    read_folders(database, NOW)
    assert stories(database) == [(Pallets.leased, "answered", 60)]
    assert counted(database) == (2, 0, 1)
    judge_pending(database, NOW)
    with database.read() as session:
        call = session.scalars(sa.select(Call)).one()
        assert call.lease_id is not None
        assert session.scalars(sa.select(QuarantinedLine.line)).all() == ["nonsense"]
    for _ in range(2):  # cut and written anew, then put aside: the same calls change nothing
        file.write_text(rang + ASTERISK)
        assert read_folders(database, NOW).lines <= 2
        file.rename(tmp_path / "old.csv")
        read_folders(database, NOW)
    assert (len(stories(database)), counted(database)) == (1, (2, 0, 1))


def test_new_files_are_taken_whole_in_any_encoding_and_one_bad_file_stops_no_other(
    sqlite: Database, tmp_path: Path
) -> None:
    watch(sqlite, tmp_path, preset="own")
    rows = [OWN.replace("\n1;", f"\n{number};") for number in range(4)]
    (tmp_path / "0.csv").write_text("nothing;that;is;known\n1;2;3;4\n")
    (tmp_path / "1.csv").write_bytes(rows[1].encode("utf-16"))
    (tmp_path / "2.csv").write_bytes(("caller_name;" + rows[2].replace("\n2", "\nИван;2")).encode("cp1251"))
    (tmp_path / "3.csv").write_text(rows[3].rstrip())  # its last line has no end
    (tmp_path / "3.txt").write_text(rows[0])
    read_folders(sqlite, NOW)
    assert len(stories(sqlite)) == 2
    past = (NOW - timedelta(hours=1)).timestamp()
    os.utime(tmp_path / "3.csv", (past, past))
    assert read_folders(sqlite, NOW).problem is None
    assert len(stories(sqlite)) == 3
    with sqlite.read() as session:
        (row,) = session.scalars(sa.select(CallFolder))
        assert "0.csv" in (row.problem or "")
        assert "Иван" in session.scalars(sa.select(Call.caller_name)).all()


def test_the_command_line_takes_a_file_watches_a_folder_and_stops(tmp_path: Path) -> None:
    at = ready(tmp_path / "home")
    at.done("company", "add", "pallets", "--region", "RU", "--timezone", "Europe/Moscow")
    at.done("number", "add", Pallets.leased)
    file = tmp_path / "Master.csv"
    file.write_text(ASTERISK.replace("2026-11-20", "2025-11-20"))
    assert "1 new" in at.done("import", "calls", str(file), "--preset", "asterisk", "--dry-run")
    assert at.json("import", "calls", str(file), "--preset", "asterisk")["new"] == 1
    assert at.json("import", "calls", str(file), "--preset", "asterisk")["same"] == 1
    at.done("import", "watch", "main", str(tmp_path), "--preset", "asterisk", "--files", "Master.csv")
    (row,) = at.json("import", "watched")
    assert (row["system"], row["files"], row["calls"]) == ("main", "Master.csv", 0)
    at.done("import", "unwatch", "main")
    assert at.json("import", "watched") == []
