"""The table of an Asterisk's call records, in a database of its own: read, and nothing written there."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from support.command import Installation, furnish
from support.postgres import Postgres

FREEPBX = """CREATE TABLE cdr (calldate timestamp, clid varchar(80), src varchar(80), dst varchar(80),
 dcontext varchar(80), channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80),
 duration integer, billsec integer, disposition varchar(45), amaflags integer, accountcode varchar(20),
 uniqueid varchar(32), userfield varchar(255), did varchar(50), linkedid varchar(32))"""
ROWS = """INSERT INTO cdr VALUES
 ('2026-11-20 14:30:00', '"Ivan" <89151112233>', '89151112233', '600', 'ext-group', 'PJSIP/trunk-0001',
  'PJSIP/101-000001a2', 'Dial', '', 67, 60, 'ANSWERED', 3, '', '1795174200.17', '',
  '84951234567', '1795174200.17'),
 ('2026-11-20 15:00:00', '', '89151112234', '600', 'ext-group', 'PJSIP/trunk-0002', 'PJSIP/101-000001a3',
  'Dial', '', 25, 0, 'NO ANSWER', 3, '', '1795176000.18', '', '84951234567', '1795176000.18'),
 ('2026-11-20 15:10:00', '', '101', '102', 'from-internal', 'PJSIP/101-0003', 'PJSIP/102-0004',
  'Dial', '', 25, 20, 'ANSWERED', 3, '', '1795176600.19', '', '', '1795176600.19'),
 ('2026-11-21 09:00:00', '', 'x', '600', 'ext-group', 'PJSIP/trunk-0005', '', 'Dial', '', 5, 0, 'NO ANSWER',
  3, '', '1795240800.20', '', '84951234567', '1795240800.20')"""
STARTS = """CREATE TABLE records (start datetime, answer datetime, "end" datetime, src text, dst text,
 clid text, channel text, dstchannel text, disposition text, uniqueid text)"""
ONE = """INSERT INTO records VALUES ('2026-11-20 14:30:00.000000', '2026-11-20 14:30:07.000000',
 '2026-11-20 14:31:07.000000', '89151112233', '84951234567', '', 'PJSIP/t-0001', 'PJSIP/101-000001a2',
 'ANSWERED', '1795174200.17')"""


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """A company in Moscow with the number +74951234567."""
    made = Installation(tmp_path / "home")
    furnish(made)
    return made


def test_calls_of_a_freepbx_table_come_once_and_bad_rows_are_told(
    here: Installation, postgres: Postgres
) -> None:
    url = postgres.url().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute(FREEPBX)
        connection.execute(ROWS)
    dry = here.json_anyway("import", "cdr", url, "--dry-run")
    assert (dry["new"], dry["left_out"], [it["line"] for it in dry["problems"]]) == (2, {"number": 1}, [4])
    told = here.done("import", "cdr", "-", "--until", "2026-11-21", given=f"{url}\n")
    assert told.startswith("2 new")
    missed, answered = here.json("calls", "list", "--since", "2026-11-01", "--until", "2026-11-30")["calls"]
    assert (answered["outcome"], answered["talk_seconds"], answered["wait_seconds"]) == ("answered", 60, 7)
    assert (missed["outcome"], missed["caller"]) == ("missed", "+79151112234")
    assert answered["started_at"].startswith("2026-11-20T11:30:00")
    again = here.json_anyway("import", "cdr", url, "--since", "2026-11-20", "--until", "2026-11-21")
    assert (again["new"], again["changed"], again["same"]) == (0, 0, 2)


def test_a_table_with_start_answer_and_end_is_understood_too(here: Installation, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/master.db"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(STARTS)
        connection.exec_driver_sql(ONE)
    engine.dispose()
    told = here.json("import", "cdr", url, "--table", "records", "--zone", "UTC")
    assert (told["new"], told["left_out"]) == (1, {})
    (call,) = here.json("calls", "list", "--since", "2026-11-01", "--until", "2026-11-30")["calls"]
    assert (call["started_at"][:16], call["talk_seconds"]) == ("2026-11-20T14:30", 60)


@pytest.mark.parametrize(
    ("url", "table", "says"),
    [
        ("nonsense", "cdr", "no address of a database"),
        ("sqlite:///{folder}/none/x.db", "cdr", "cannot be read"),
        ("sqlite:///{folder}/home/leaseline.db", "cdr", "There is no table 'cdr'"),
        ("sqlite:///{folder}/home/leaseline.db", "calls", "has no column src"),
        ("mysql://reader:hush@127.0.0.1/x", "cdr", "pip install pymysql"),
        ("postgresql://reader:hush@127.0.0.1:9/x", "cdr", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    here: Installation, tmp_path: Path, url: str, table: str, says: str
) -> None:
    told = here.refused("import", "cdr", url.format(folder=tmp_path), "--table", table)
    assert says in told
    assert "hush" not in told
