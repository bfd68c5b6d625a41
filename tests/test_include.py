"""Our part inside a phone system's own Asterisk: only our own files, its lines shown and found, and gone."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.audio import tone
from support.command import Installation, furnish
from support.house import CARRIER, House, until
from support.pbx import Pbx
from support.plan_house import MESSAGE_TONE, PROMPT_TONE, hear, wav
from support.ports import free_port
from support.sip import Telephone

from agi.oneshot import ask
from dialplan.include import lines_to_add, route_lines
from dialplan.render import INCLUDED
from tracker import plan_uses, plans, prompts
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import (
    Call,
    Channel,
    Company,
    Forwarding,
    Lease,
    Number,
    NumberUse,
    Pool,
    Recording,
    RecordingState,
    Site,
    Target,
    TargetKind,
    Visit,
    Visitor,
)
from tracker.policy.attribution import Basis
from tracker.policy.facts import Outcome

MINE = """[general]
static = yes

[from-trunk]
exten => 100,1,Dial(PJSIP/100)
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "asterisk.conf").write_text("[directories]\nastrundir => /nowhere/run\n")
    (folder / "extensions.conf").write_text(MINE)
    (folder / "manager.conf").write_text("[general]\nenabled = yes\n")
    return folder


@pytest.fixture
def at(tmp_path: Path, house: House) -> Installation:
    """A company whose number rings an extension; rendered for the Asterisk that the tests have."""
    installation = Installation(tmp_path / "home", {"LEASELINE_ASTERISK": house.program.path})
    furnish(installation)
    installation.done("target", "add", "Anna", "--extension", "101")
    installation.done("target", "add", "Queue", "--extension", "600@from-internal")
    return installation


def everything(folder: Path) -> dict[str, bytes]:
    return {str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("*") if it.is_file()}


def test_only_files_of_ours_are_written_and_removed_without_a_trace(at: Installation, theirs: Path) -> None:
    before = everything(theirs)
    refused = at.refused("asterisk", "include", "--for", str(theirs))
    assert "Reception" in refused
    assert "--extension" in refused
    at.done("forward", "set", "Anna:15", "Queue")
    shown = at.done("asterisk", "include", "--for", str(theirs))
    for line in ("#tryinclude leaseline.d/extensions.conf", "#tryinclude leaseline.d/manager.conf"):
        assert line in shown
    assert route_lines(freepbx=False)[0] in shown
    after = everything(theirs)
    assert {name: after[name] for name in before} == before
    assert all(name.startswith(f"{INCLUDED}/") for name in after.keys() - before.keys())
    text = "".join(it.read_text() for it in (theirs / INCLUDED).glob("*.conf"))
    assert "[general]" not in text
    assert set(re.findall(r"(?m)^\[([\w-]+)", text)) - {"leaseline"} == {
        name for name in re.findall(r"(?m)^\[([\w-]+)", text) if name.startswith(("leaseline-", "target-"))
    }
    assert "Dial(PJSIP/101,${LL_SECONDS}" in text
    assert "Dial(Local/600@from-internal/n,${LL_SECONDS}" in text
    assert "read = system,call\n" in text
    assert "write = reporting\n" in text
    assert "0 files changed" in at.done("asterisk", "include", "--for", str(theirs))
    at.done("asterisk", "include", "--for", str(theirs), "--remove")
    assert everything(theirs) == before
    assert not (theirs / INCLUDED).exists()


def test_the_lines_are_found_where_they_were_added_and_told_when_ours_are_gone(
    at: Installation, theirs: Path
) -> None:
    at.done("forward", "set", "Anna:15")
    at.done("asterisk", "include", "--for", str(theirs))
    told = at.json_anyway("asterisk", "include", "--for", str(theirs), "--check")
    assert [(it["what"], it["ok"]) for it in told if it["what"] != "console"] == [
        ("files", True), ("extensions.conf", False), ("manager.conf", False), ("pjsip.conf", False),
    ]  # fmt: skip
    (theirs / "extensions.conf").write_text(MINE + '#include "mine.conf"\n')
    (theirs / "mine.conf").write_text("; of mine\n#tryinclude leaseline.d/extensions.conf\n")
    told = at.json_anyway("asterisk", "include", "--for", str(theirs), "--check")
    assert {it["what"]: it["told"] for it in told}["extensions.conf"] == "mine.conf:2"
    at.done("forward", "set", "Anna:20")
    stale = at.run("asterisk", "include", "--for", str(theirs), "--check")
    assert (stale.exit_code, "numbers.conf" in stale.stdout) == (1, True)
    removed = at.json("asterisk", "include", "--for", str(theirs), "--remove")
    assert removed["left"] == ["mine.conf:2: #tryinclude leaseline.d/extensions.conf"]


def test_freepbx_has_files_of_its_own_for_such_lines() -> None:
    files = {"pjsip.conf": ""}
    wanted = lines_to_add(files, freepbx=True, judged=True)
    assert [it.file for it in wanted] == [
        "extensions_custom.conf", "manager_custom.conf", "features_applicationmap_custom.conf",
    ]  # fmt: skip


def test_an_asterisk_of_ours_rings_no_extension_of_another(at: Installation) -> None:
    at.done("forward", "set", "Anna:15")
    assert "LEASELINE_ASTERISK_FOR" in at.refused("apply", "--check")


# ---- a second Asterisk that includes ours ----

DIALPLAN = """
[general]
static = yes
autofallthrough = yes

[from-leaseline]
exten => _[+0-9].,1,Set(OURS=$${DIALPLAN_EXISTS(leaseline-numbers,$${EXTEN},1)})
 same => n,GotoIf($$[$${OURS}]?leaseline-arrive,$${EXTEN},1)
 same => n,Dial(PJSIP/2000,30)

[extensions]
exten => _2XXX,1,Dial(PJSIP/$${EXTEN},30)

#tryinclude leaseline.d/extensions.conf
"""
MORE = (
    "app_mixmonitor", "app_playback", "app_playtones", "app_read", "func_cut", "func_cdr", "func_dialplan",
    "func_env", "func_groupcount", "func_hangupcause", "func_rand", "func_timeout", "func_uri", "func_uuid",
    "res_speech", "res_agi", "cdr_csv", "format_sln",
)  # fmt: skip


def files(ami_port: int, **more: str) -> dict[str, str]:
    loads = "\n".join(f"load = {name}.so" for name in MORE)
    manager = f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {ami_port}\n"
    return {
        "extensions.conf": DIALPLAN,
        "modules.conf": f"[modules]\nautoload = no\n$loads\n{loads}\n",
        "manager.conf": manager + "#tryinclude leaseline.d/manager.conf\n",
        "cdr.conf": "[general]\nenable = yes\nunanswered = yes\n[csv]\nusegmtime = yes\nloguniqueid = yes\n",
        "features.conf": "[general]\n[applicationmap]\n",
        **more,
    }


@pytest.fixture(scope="module")
def inside(house: House) -> Iterator[tuple[House, Pbx]]:
    """A phone system's Asterisk, and a Leaseline without one of its own beside it."""
    ami_port = free_port()
    pbx = Pbx(
        house.program, port=house.sip_port("127.0.0.3"), leaseline=(CARRIER, 5060), files=files(ami_port)
    )
    ours = House(LEASELINE_ASTERISK_FOR=str(pbx.folder), LEASELINE_AMI_PORT=str(ami_port))
    tell_numbers(ours)
    yield ours, pbx
    PHONES.close()
    ours.close()
    pbx.close()


DESKS = {"+74951110001": "2000", "+74951110002": "2001", "+74951110003": "2001"}  # which extension rings


def tell_numbers(ours: House) -> None:
    """Numbers of a channel each, forwarded to extensions of the phone system; applied."""
    now = datetime.now(UTC)
    with ours.database.write() as session:
        company_id = session.scalars(sa.select(Company.id)).one()
        for e164, extension in DESKS.items():
            same: dict[str, Any] = {"company_id": company_id, "created_at": now}
            channel = Channel(name=e164, source="billboard", **same)
            number = Number(e164=e164, record=True, **same)
            desk = Target(name=f"desk of {e164}", kind=TargetKind.EXTENSION, dial=extension, **same)
            session.add_all([channel, number, desk])
            session.flush()
            session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=now))
            ring = {"position": 1, "target_id": desk.id, "ring_seconds": 20}
            session.add(Forwarding(company_id=company_id, number_id=number.id, **ring))
    ours.cli("apply")


def call(pbx: Pbx, e164: str, caller: str, extension: str = "2000") -> None:
    """Somebody dials it, the extension rings and picks up; he hangs up after a second."""
    desk, carrier = PHONES.of(pbx, extension), PHONES.of(pbx, None)
    talk = carrier.dial(e164, who=f"<sip:{caller}@carrier.example>")
    taken = desk.take_call()
    talk.answered()
    time.sleep(1)
    talk.hang_up()
    taken.over()


class Phones:
    """Each telephone once: its address is not free again at once."""

    def __init__(self) -> None:
        self.known: dict[str | None, Telephone] = {}

    def of(self, pbx: Pbx, extension: str | None) -> Telephone:
        if extension not in self.known:
            made = pbx.phone(extension) if extension else Telephone((pbx.host, pbx.port), CARRIER)
            self.known[extension] = made
        return self.known[extension]

    def close(self) -> None:
        while self.known:
            self.known.popitem()[1].close()


PHONES = Phones()


def test_a_call_rings_the_phone_system_s_own_extension_and_is_in_the_books(
    inside: tuple[House, Pbx],
) -> None:
    ours, pbx = inside
    told = ours.cli("asterisk", "include", "--check", accept=(1,)).stdout
    assert "modules: it has no LOCK, UNLOCK: load the modules of these" in told
    pbx.console("module load func_lock.so")
    assert json.loads(ours.cli("asterisk", "include", "--check", "--json").stdout)
    call(pbx, "+74951110001", "+79150000001")
    (known,) = until(
        lambda: ours.calls(Call.caller == "+79150000001", Call.ended_at.is_not(None)), why="the call"
    )
    assert (known.outcome, known.seen_by_agi, known.channel and known.channel.name) == (
        Outcome.ANSWERED, True, "+74951110001",
    )  # fmt: skip
    assert 0.8 < (known.talk_seconds or 0) < 5
    ready = until(
        lambda: ours.calls(Call.recording.has(Recording.state == RecordingState.READY)), why="its recording"
    )
    assert [it.id for it in ready] == [known.id]
    live = ask(ours.settings, "CoreStatus")[0]
    assert live["Response"] == "Success"  # the manager user looks,
    with pytest.raises(Rejected, match="ermission"):  # and does nothing else
        ask(ours.settings, "Command", Command="core show version")


def test_a_plan_rings_inside_by_keys_and_limits(inside: tuple[House, Pbx]) -> None:
    ours, pbx = inside
    by, sound = By(datetime.now(UTC), "test"), prompts.ready_file(ours.settings, wav(tone(PROMPT_TONE, 0.6)))
    with ours.database.write() as session:
        company = session.scalars(sa.select(Company)).one()
        prompts.add(session, by, company, "prompt", sound)
        heard = {"say": {"sound": "prompt"}}
        desk = {"target": "desk of +74951110001", "seconds": 10, "most": 1}
        document = {"start": "menu", "steps": {
            "menu": {"kind": "menu", **heard, "keys": {"1": "desk"}, "then": "box"},
            "desk": {"kind": "ring", "targets": [desk], "busy": "box", "then": "box"},
            "box": {"kind": "voicemail", **heard}}}  # fmt: skip
        number = session.scalars(sa.select(Number).where(Number.e164 == "+74951110001")).one()
        plan_uses.use(session, by, number, plans.add(session, by, company, "office", document))
    ours.cli("apply")
    talks = []
    for caller in ("+79150000011", "+79150000012"):
        talk = PHONES.of(pbx, None).dial("+74951110001", who=f"<sip:{caller}@carrier.example>").answered()
        hear(talk, PROMPT_TONE)
        talk.media.press("1")
        talks.append(talk)
        if caller.endswith("1"):
            talks.append(PHONES.of(pbx, "2000").take_call())
    hear(talks[-1], MESSAGE_TONE)  # the desk has its one call: the second caller may leave a message
    talks[0].hang_up()
    talks[1].over()
    talks[2].hang_up()
    callers = Call.caller.in_(["+79150000011", "+79150000012"]), Call.ended_at.is_not(None)
    until(lambda: ours.count(*callers) == 2, why="both calls are in the books")
    taken = [it.caller for it in ours.calls(*callers) if it.outcome is Outcome.ANSWERED]
    assert taken == ["+79150000011"]


def test_with_the_tracker_hung_the_extension_rings_all_the_same(inside: tuple[House, Pbx]) -> None:
    ours, pbx = inside
    os.kill(ours.pid("agi"), signal.SIGSTOP)
    try:
        call(pbx, "+74951110002", "+79150000002", "2001")
    finally:
        os.kill(ours.pid("agi"), signal.SIGCONT)
    (known,) = until(
        lambda: ours.calls(Call.caller == "+79150000002", Call.ended_at.is_not(None)), why="the call"
    )
    assert (known.outcome, known.seen_by_agi) == (Outcome.ANSWERED, False)


def test_without_our_files_calls_take_their_own_way_and_its_records_tell_of_them(
    inside: tuple[House, Pbx],
) -> None:
    ours, pbx = inside
    leased = lease(ours, "+74951110004")
    assert "extensions.conf" in ours.cli("asterisk", "include", "--remove").stdout
    assert not re.findall(r"Context 'leaseline-", pbx.console("dialplan show"))
    records = pbx.folder / "log" / "cdr-csv"
    records.mkdir()
    watch = ("--preset", "asterisk", "--files", "Master.csv", "--zone", "UTC")
    ours.cli("import", "watch", "main", str(records), *watch)
    call(pbx, "+74951110003", "+79150000005")
    call(pbx, "+74951110004", "+79150000006")
    for caller, basis in (("+79150000005", Basis.CHANNEL), ("+79150000006", Basis.LEASE)):
        (known,) = until(
            lambda caller=caller: ours.calls(  # type: ignore[misc]
                Call.caller == caller, Call.attributed_at.is_not(None)
            ),
            why=f"the call of {caller}",
        )
        assert (known.outcome, known.basis, known.node) == (Outcome.ANSWERED, basis, "beside:main")
        assert 0 < (known.talk_seconds or 0) < 5
        assert (known.lease_id == leased) == (basis is Basis.LEASE)
    (row,) = json.loads(ours.cli("import", "watched", "--json").stdout)
    assert (row["calls"], row["bad"], row["problem"]) == (2, 0, None)


def lease(ours: House, e164: str) -> int:
    """A visitor of the website who is shown that number now."""
    now = datetime.now(UTC)
    with ours.database.write() as session:
        company = session.scalars(sa.select(Company)).one()
        pool = Pool(company_id=company.id, name="Website", created_at=now)
        site = Site(
            company_id=company.id, name="Shop", key="site-shop", domains=["shop.example"], created_at=now
        )
        visitor = Visitor(company_id=company.id, key="visitor", created_at=now)
        number = Number(company_id=company.id, e164=e164, created_at=now - timedelta(days=1), free_at=None)
        session.add_all([pool, site, visitor, number])
        session.flush()
        since = now - timedelta(minutes=5)
        visit = Visit(
            visitor_id=visitor.id, site_id=site.id, started_at=since, seen_at=now, medium="cpc",
            source="yandex",
        )  # fmt: skip
        use = NumberUse(number_id=number.id, pool_id=pool.id, from_at=now - timedelta(days=1))
        session.add_all([visit, use])
        session.flush()
        held = Lease(
            number_id=number.id, pool_id=pool.id, visit_id=visit.id, from_at=since,
            expires_at=now + timedelta(minutes=10),
        )  # fmt: skip
        session.add(held)
        session.flush()
        return held.id
