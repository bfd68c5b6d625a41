"""What phone systems write of their calls, a line each: where the columns are, and what they mean.

    shape = shape_of(first_line, PRESETS["asterisk"], {})
    row = row_of(shape, line)      # in the words of tracker.policy.reported_calls; None: no call

    asterisk    Master.csv of cdr_csv (asterisk.org, cdr_csv.c): no titles
    freepbx     the export of its CDR report, by the titles of its table
    3cx         its CDR files with the fields in the order of its settings: no titles
    cucm        Cisco Unified CM's CDR files: titles, then a line of types; instants as seconds since 1970
    avaya       SMDR of IP Office: no titles
    own         titles like ours (reference, did, caller, started_at, …), or as `columns` says

A call that is told in several lines is one: lines of one reference are its parts.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tracker.errors import Rejected, say
from tracker.policy.cost_list import BadValue
from tracker.policy.reported_calls import COLUMNS, LeftOut
from tracker.policy.tables import plain_title

Row = Mapping[str, str]
_DELIMITERS = ",;\t|"
_NAMES = re.compile(r'"?(.*?)"?\s*<[^>]*>')


@dataclass(frozen=True)
class Preset:
    """How one kind of phone system writes; `columns` where it writes no titles."""

    name: str
    plain: Callable[[Row], dict[str, str]]
    columns: tuple[str, ...] = ()
    parts: bool = True  # a call may take several lines


@dataclass(frozen=True)
class Shape:
    """What the columns of one file are called, and what parts them."""

    preset: Preset
    delimiter: str
    titles: tuple[str, ...]
    chosen: Mapping[str, str]
    titled: bool  # its first line has the titles


def shape_of(first_line: str, preset: Preset, chosen: Mapping[str, str]) -> Shape:
    """The shape of a file by its first line; `chosen` says which of its columns is which of ours.

    Raises Rejected file.titles, file.column.
    """
    check_chosen(chosen)
    if preset.columns and not _has_titles(first_line, preset):
        return Shape(preset, ",", preset.columns, chosen, titled=False)
    delimiter = max(_DELIMITERS, key=first_line.count)
    titles = tuple(plain_title(cell) for cell in _cells(first_line, delimiter))
    needed = {plain_title(title) for title in chosen.values()}
    if missing := sorted(needed - set(titles)):
        raise Rejected(
            "file.column",
            "The file has no column %(missing)r",
            "It has %(titles)s",
            missing=missing[0],
            titles=list(titles),
        )
    if not chosen and not set(titles) & _known(preset):
        raise Rejected(
            "file.titles",
            "The first line of the file names no column that is known here",
            "Say which is which: --column did=TITLE",
        )
    return Shape(preset, delimiter, titles, chosen, titled=True)


def row_of(shape: Shape, line: str) -> dict[str, str] | None:
    """A line in our words; None for one that is empty, or has titles. Raises BadValue, LeftOut."""
    if not line.strip():
        return None
    cells = _cells(line, shape.delimiter)
    if tuple(map(plain_title, cells)) == shape.titles:
        return None
    if len(cells) < min(len(shape.titles), 8):
        raise BadValue("", say("%(cells)s cells: too few to be a call", cells=len(cells)))
    theirs = dict(zip(shape.titles, map(str.strip, cells), strict=False))
    return in_our_words(shape.preset, shape.chosen, theirs, cells)


def in_our_words(
    preset: Preset, chosen: Mapping[str, str], theirs: Row, cells: Sequence[str]
) -> dict[str, str]:  # fmt: skip
    """A record in our words; `cells` are what makes it the same part of a call when it is told again.

    Raises LeftOut.
    """
    ours = preset.plain(theirs)
    ours |= {name: theirs.get(plain_title(title), "") for name, title in chosen.items()}
    if preset.parts:
        ours["part"] = _digest(*cells)
    return ours


def _asterisk(row: Row) -> dict[str, str]:
    uniqueid = row.get("uniqueid", "")
    known = re.fullmatch(r"[\w.-]*[0-9]+\.[0-9]+", uniqueid, re.ASCII)
    answered = row["disposition"] == "ANSWERED"
    # An announcement or a mailbox answers too; only who is bridged to it is a person.
    taken = answered and bool(row["dstchannel"])
    return {
        "reference": row.get("linkedid") or (uniqueid if known else _digest(row["channel"], row["start"])),
        "uniqueid": uniqueid,
        "did": row["dst"],
        "caller": row["src"],
        "caller_name": _name(row["clid"]),
        "started_at": row["start"],
        "answered_at": row["answer"] if taken else "",
        "ended_at": row["end"],
        "outcome": "missed" if answered and not taken else row["disposition"],
        "extension": _extension(row["dstchannel"]) if taken else "",
    }


def _freepbx(row: Row) -> dict[str, str]:
    answered = row.get("disposition", "") == "ANSWERED"
    taken = answered and bool(row.get("dstchannel", "x"))
    ring = _number(row.get("duration", "")) - _number(row.get("billsec", ""))
    return {
        "reference": row.get("linkedid") or row.get("uniqueid") or _digest(*row.values()),
        "uniqueid": row.get("uniqueid", ""),
        "did": row.get("did", ""),
        "did_else": row.get("dst", ""),
        "caller": row.get("cnum") or row.get("src", ""),
        "caller_name": row.get("cnam") or _name(row.get("clid", "")),
        "started_at": row.get("calldate") or row.get("call date", ""),
        "ring_seconds": str(max(0, ring if taken else _number(row.get("duration", "")))),
        "talk_seconds": row.get("billsec", "") if taken else "",
        "outcome": "missed" if answered and not taken else row.get("disposition", ""),
        "extension": _extension(row.get("dstchannel", "")) if taken else "",
    }


def _3cx(row: Row) -> dict[str, str]:
    if row.get("from-type", "").casefold() == "extension":
        raise LeftOut("outgoing" if row.get("to-type", "").casefold() != "extension" else "internal")
    taken = bool(row["time-answered"])
    gave_up = "src" in row["reason-terminated"].casefold()
    return {
        "reference": row["callid"] or f"{row['historyid']} {row['time-start']}",
        "did": row["dial-no"],
        "did_else": row["to-no"],
        "caller": re.sub(r"^Ext\.", "", row["from-no"]),
        "caller_name": row.get("from-dispname", ""),
        "started_at": row["time-start"],
        "answered_at": row["time-answered"],
        "ended_at": row["time-end"],
        "outcome": "answered" if taken else "gave_up" if gave_up else "missed",
        "employee": row.get("final-dispname", "") if taken else "",
        "extension": re.sub(r"^Ext\.", "", row.get("final-number", "") or row["to-no"]) if taken else "",
    }


_CAUSES = {"17": "busy", "21": "refused", "1": "failed", "3": "failed", "27": "failed", "34": "failed",
           "38": "failed", "41": "failed"}  # fmt: skip


def _cucm(row: Row) -> dict[str, str]:
    if not row["datetimeorigination"].isdecimal():  # the second line of each file has types
        raise LeftOut("titles")
    taken = row["datetimeconnect"] not in {"", "0"}
    ours = [row.get(name, "") for name in ("globalcallid callmanagerid", "globalcallid callid",
                                           "globalcallid clusterid")]  # fmt: skip
    no_answer = "gave_up" if row.get("origcause value") == "16" else "missed"
    outcome = _CAUSES.get(row.get("destcause value", ""), no_answer)
    return {
        "reference": "-".join(filter(None, ours)),
        "did": row.get("originalcalledpartynumber", ""),
        "did_else": row.get("finalcalledpartynumber", ""),
        "caller": row.get("callingpartynumber", ""),
        "started_at": _since_1970(row["datetimeorigination"]),
        "answered_at": _since_1970(row["datetimeconnect"]) if taken else "",
        "ended_at": _since_1970(row["datetimedisconnect"]),
        "outcome": "answered" if taken else outcome,
        "extension": row.get("finalcalledpartynumber", "") if taken else "",
    }


def _avaya(row: Row) -> dict[str, str]:
    if row["is internal"] == "1" or row["direction"] != "I":
        raise LeftOut("internal" if row["is internal"] == "1" else "outgoing")
    hours, minutes, seconds = (_number(each) for each in (row["connected"] + ":0:0").split(":")[:3])
    talk = hours * 3600 + minutes * 60 + seconds
    held = _number(row.get("hold", "")) + _number(row.get("park", ""))
    by_person = not row["party1device"].startswith("V")  # V9501 is the voicemail
    taken = talk > 0 and by_person
    return {
        "reference": f"{row['call id']} {row['start']}",
        "did": row["dialled"],
        "did_else": row["called"],
        "caller": row["caller"],
        "started_at": row["start"],
        "ring_seconds": row["ring"],
        "talk_seconds": str(talk + held) if taken else "",
        "outcome": "answered" if taken else "missed",
        "extension": row["party1device"][1:] if taken else "",
        "employee": row.get("party1name", "") if taken else "",
    }


def _own(row: Row) -> dict[str, str]:
    return {name: text for title, text in row.items() if (name := title.replace(" ", "_")) in COLUMNS}


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("asterisk", _asterisk, (
            "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp",
            "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
            "uniqueid", "userfield", "peeraccount", "linkedid", "sequence",
        )),
        Preset("freepbx", _freepbx),
        Preset("3cx", _3cx, (
            "historyid", "callid", "duration", "time-start", "time-answered", "time-end",
            "reason-terminated", "from-no", "to-no", "from-dn", "to-dn", "dial-no", "reason-changed",
            "final-number", "final-dn", "bill-code", "bill-rate", "bill-cost", "bill-name", "chain",
            "from-type", "to-type", "final-type", "from-dispname", "to-dispname", "final-dispname",
            "missed-queue-calls",
        )),
        Preset("cucm", _cucm),
        Preset("avaya", _avaya, (
            "start", "connected", "ring", "caller", "direction", "called", "dialled", "account",
            "is internal", "call id", "continuation", "party1device", "party1name", "party2device",
            "party2name", "hold", "park",
        )),
        Preset("own", _own, parts=False),
    )
}  # fmt: skip
_TITLES = {
    "freepbx": {"calldate", "call date", "uniqueid", "disposition"},
    "cucm": {"datetimeorigination"},
    "own": {name.replace("_", " ") for name in COLUMNS},
}


def preset_of(name: str) -> Preset:
    """A preset by its name. Raises Rejected preset.unknown."""
    if name in PRESETS:
        return PRESETS[name]
    raise Rejected(
        "preset.unknown",
        "There is no preset %(name)r",
        "There are: %(names)s",
        name=name[:20],
        names=list(PRESETS),
    )


def _known(preset: Preset) -> set[str]:
    return _TITLES.get(preset.name, set(preset.columns))


def _has_titles(line: str, preset: Preset) -> bool:
    return len({plain_title(cell) for cell in re.split(r"[,;\t|]", line)} & set(preset.columns)) > 3


def check_chosen(chosen: Mapping[str, str]) -> None:
    """Raises Rejected file.column where one of the columns is none of ours."""
    if strange := [name for name in chosen if name not in COLUMNS]:
        raise Rejected(
            "file.column",
            "There is no column %(strange)r here",
            "There are %(names)s",
            strange=strange[0],
            names=", ".join(COLUMNS),
        )


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration) as error:
        raise BadValue("", say("it is no CSV: %(error)s", error=str(error))) from None


def _digest(*cells: str) -> str:
    return hashlib.blake2b("\0".join(cells).encode(errors="replace"), digest_size=12).hexdigest()


def _name(clid: str) -> str:
    """The name of `"Anna" <101>`; nothing where it is the number once more."""
    found = _NAMES.fullmatch(clid.strip())
    name = found[1].strip() if found else ""
    return "" if re.fullmatch(r"[+0-9\s]*", name) else name


def _extension(channel: str) -> str:
    """101 of PJSIP/101-0000a1f3 and of Local/101@from-queue-0001;1."""
    found = re.fullmatch(r"[A-Za-z]+/([^@/;]+?)(?:@[^;]*)?(?:-[0-9a-f]{6,})?(?:;[12])?", channel)
    return found[1] if found else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


def _since_1970(text: str) -> str:
    seconds = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()
