"""A real call in the figures and logs that machines watch."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

from support.audio import speech, write_ulaw
from support.house import House, until

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, say, wait


def told(house: House) -> dict[str, float]:
    """What `/metrics` says, by name and labels."""
    with urlopen(f"http://127.0.0.1:{house.settings.web_port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (it.rsplit(" ", 1) for it in lines if it[0] != "#")}


def test_one_call_is_counted_timed_and_followed_through_all_logs(house: House, tmp_path: Path) -> None:
    served = 'leaseline_agi_session_seconds_count{node="house",route="inbound",result="served"}'
    ended = 'leaseline_calls_total{outcome="answered"}'
    before = told(house)
    line = house.line()
    words = write_ulaw(tmp_path / "words.ul", speech("Good morning"))
    house.phone(line.phones[0], [invited(), ringing(), pick_up(), say(words), hung_up()])
    caller = house.caller(line, [invite(), answered(), wait(1), hang_up()])
    call = house.call_of(caller)

    def seen() -> dict[str, float] | None:
        now = told(house)
        return now if now.get(served, 0) > before.get(served, 0) else None

    figures = until(seen, why="the agi process tells how long it took")
    assert figures[ended] > before.get(ended, 0)
    assert figures['leaseline_agi_lookup_seconds_count{node="house"}'] >= 1
    assert {figures[f'leaseline_process_up{{node="house",process="{it}"}}'] for it in ("agi", "worker")} == {
        1
    }
    assert figures['leaseline_node_up{node="house"}'] == 1
    assert figures['leaseline_disk_free_bytes{node="house",folder="home"}'] > 0
    assert 'leaseline_spool_age_seconds{node="house"}' in figures
    assert figures['leaseline_job_failures{node="house",job="spool"}'] == 0
    assert caller.number.lstrip("+") not in "".join(figures)

    story = until(lambda: whole(house, call.key), 60, why="every part has said its line")
    for part, said in (
        ("agi", f"call={call.key} told who rings did={line.e164}"),
        ("worker", f"call={call.key} read: "),
        ("worker", f"call={call.key} judged basis=channel"),
        ("worker", f"call={call.key} the recording is ready seconds="),
    ):
        assert any(it.startswith(part) and said in it for it in story), story
    assert caller.number.lstrip("+") not in "".join(story)


def whole(house: House, key: str) -> list[str] | None:
    """What all logs say of the call, once they have said everything."""
    lines = house.cli("logs", "--call", key).stdout.splitlines()
    return lines if any("judged" in it for it in lines) and any("is ready" in it for it in lines) else None
