"""SIPp scenarios put together from steps, so that a call reads like the story it tells.

    caller([invite(), answered(), say("hello.ul"), wait(2), hang_up()])
    phone([invited(), ringing(), wait(0.6), pick_up(), hung_up()])

Steps are pieces of SIPp's XML (https://sipp.readthedocs.io/en/v3.6.1/scenarios/ownscenarios.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

_SDP = """v=0
o=user 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
"""
_OFFER = _SDP.replace("101", "96")  # what SIPp's play_dtmf sends


def _message(*lines: str, body: str = "") -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    head = "\n".join(line for line in lines if line)
    return f"{head}\n{kind}Content-Length: [len]\n\n{body}"


def _send(text: str, *, retransmit: bool = False) -> str:
    again = ' retrans="500"' if retransmit else ""
    return f"<send{again}><![CDATA[\n{text}\n]]></send>"


def _scenario(steps: Iterable[str]) -> str:
    inside = "\n".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="leaseline">\n{inside}\n</scenario>\n'


def wait(seconds: float) -> str:
    return f'<pause milliseconds="{round(seconds * 1000)}"/>'


def say(audio: Path, times: int = 1) -> str:
    """Play an 8 kHz mu-law file, -1 times for ever; the next step follows at once."""
    return f"<nop><action><exec rtp_stream={quoteattr(f'{audio},{times},0,PCMU/8000')}/></action></nop>"


def press(digit: str) -> str:
    """A key, as RFC 4733 events; the next step follows once they are out."""
    return f'<nop><action><exec play_dtmf="{digit}"/></action></nop>' + wait(0.4)


# ---- the caller's side ----

_CALLER = "From: {who};tag=[pid]c[call_number]"
_OUT = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"


def caller(steps: Iterable[str], *, who: str = '"Ann Caller" <sip:+4915112345678@carrier.example>') -> str:
    """A scenario that calls. `who` is the From address as it stands on the wire."""
    return _scenario(step.replace("{who}", who) for step in steps)


def invite(*headers: str, to: str = "[service]") -> str:
    return _send(
        _message(
            f"INVITE sip:{to}@[remote_ip]:[remote_port] SIP/2.0", _OUT, _CALLER,
            f"To: <sip:{to}@[remote_ip]:[remote_port]>", "Call-ID: [call_id]", "CSeq: 1 INVITE",
            "Contact: <sip:caller@[local_ip]:[local_port]>", "Max-Forwards: 70", *headers, body=_OFFER,
        ),
        retransmit=True,
    )  # fmt: skip


def provisional() -> str:
    return "".join(f'<recv response="{code}" optional="true"/>' for code in (100, 180, 181, 183))


def answered() -> str:
    """Whatever comes before, then 200 and our ACK."""
    return (
        provisional()
        + '<recv response="200" rrs="true" rtd="true"/>'
        + _in_dialog("ACK", 1, retransmit=False)
    )


def heard_ringing() -> str:
    return '<recv response="100" optional="true"/><recv response="180"/>'


def refused(code: int) -> str:
    """Any provisional answer, then exactly this final one, and the ACK that belongs to it."""
    ack = _send(
        _message(
            "ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0", "[last_Via:]", _CALLER, "[last_To:]",
            "Call-ID: [call_id]", "CSeq: 1 ACK", "Max-Forwards: 70",
        )
    )  # fmt: skip
    return provisional() + f'<recv response="{code}"/>' + ack


def give_up() -> str:
    """CANCEL while it rings."""
    cancel = _send(
        _message(
            "CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0", "[last_Via:]", _CALLER,
            "To: <sip:[service]@[remote_ip]:[remote_port]>", "Call-ID: [call_id]", "CSeq: 1 CANCEL",
            "Max-Forwards: 70",
        )
    )  # fmt: skip
    return cancel + '<recv response="200"/>' + refused(487)


def hang_up() -> str:
    return _in_dialog("BYE", 2) + '<recv response="200"/>'


def hung_up(seconds: float = 30) -> str:
    """The other side hangs up."""
    ok = _message(
        "SIP/2.0 200 OK", "[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"
    )
    return f'<recv request="BYE" timeout="{round(seconds * 1000)}"/>' + _send(ok)


def _in_dialog(method: str, sequence: int, *, retransmit: bool = True) -> str:
    return _send(
        _message(
            f"{method} [next_url] SIP/2.0", _OUT, _CALLER, "[last_To:]", "[routes]", "Call-ID: [call_id]",
            f"CSeq: {sequence} {method}", "Max-Forwards: 70",
        ),
        retransmit=retransmit,
    )  # fmt: skip


# ---- the company's side ----


def phone(steps: Iterable[str]) -> str:
    """A scenario that is called."""
    return _scenario(steps)


def invited() -> str:
    """Wait for the call; remember what is needed to speak first later (hang up, transfer)."""
    return (
        '<recv request="INVITE" crlf="true" rrs="true"><action>'
        '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>'
        '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>'
        '<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="contact"/>'
        "</action></recv>"
        '<Reference variables="from,to,contact"/>'
    )


_REPLY = (
    "[last_Via:]",
    "[last_From:]",
    "[last_To:];tag=[pid]p[call_number]",
    "[last_Call-ID:]",
    "[last_CSeq:]",
)
_CONTACT = "Contact: <sip:phone@[local_ip]:[local_port]>"


def ringing() -> str:
    return _send(_message("SIP/2.0 180 Ringing", *_REPLY, _CONTACT))


def early_media() -> str:
    return _send(_message("SIP/2.0 183 Session Progress", *_REPLY, _CONTACT, body=_SDP))


def pick_up() -> str:
    answer = _send(_message("SIP/2.0 200 OK", *_REPLY, _CONTACT, body=_SDP), retransmit=True)
    return answer + '<recv request="ACK" crlf="true"/>'


def turn_down(code: int, reason: str) -> str:
    return _send(_message(f"SIP/2.0 {code} {reason}", *_REPLY), retransmit=True) + '<recv request="ACK"/>'


def by_caller(
    cases: Mapping[str, Iterable[str]], otherwise: Iterable[str], *, header: str = "from"
) -> list[str]:
    """Steps that depend on who calls, right after `invited()`: of the first case whose text is in From.

    With `header="to"` on who is called.
    """
    choices = [
        f'<nop next="{label}" test="is{label}"><action><ereg regexp={quoteattr(text)} search_in="var" '
        f'variable="{header}" assign_to="is{label}"/></action></nop>'
        for label, text in enumerate(cases, start=1)
    ]
    end = len(cases) + 1
    branches = [*otherwise, f'<nop next="{end}"/>']
    for label, steps in enumerate(cases.values(), start=1):
        branches += [f'<label id="{label}"/>', *steps, f'<nop next="{end}"/>']
    return [*choices, *branches, f'<label id="{end}"/>', wait(0)]


def not_picked_up() -> str:
    """Ring until the other side gives up (CANCEL), then end as RFC 3261 section 9.2 wants."""
    ok = _message(
        "SIP/2.0 200 OK", "[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"
    )
    ended = _message(
        "SIP/2.0 487 Request Terminated", "[last_Via:]", "[last_From:]", "[last_To:];tag=[pid]p[call_number]",
        "[last_Call-ID:]", "CSeq: [cseq] INVITE",
    )  # fmt: skip
    return '<recv request="CANCEL"/>' + _send(ok) + _send(ended) + '<recv request="ACK"/>'


def phone_hangs_up() -> str:
    return _from_phone("BYE", 10) + '<recv response="200"/>'


def transfer(to: str) -> str:
    """Blind transfer by REFER (RFC 3515): the other side is told to call `to`; it reports and lets go."""
    refer = _from_phone(
        "REFER", 11, f"Refer-To: <sip:{to}@[remote_ip]:[remote_port]>",
        "Referred-By: <sip:phone@[local_ip]:[local_port]>", _CONTACT,
    )  # fmt: skip
    ok = _message(
        "SIP/2.0 200 OK", "[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"
    )
    return refer + '<recv response="202"/><recv request="NOTIFY" crlf="true"/>' + _send(ok) + wait(0.3)


def _from_phone(method: str, sequence: int, *headers: str) -> str:
    return _send(
        _message(
            f"{method} [$contact] SIP/2.0", _OUT,
            "From: <sip:phone@[local_ip]:[local_port]>;tag=[pid]p[call_number]",
            "To: [$from]", "Call-ID: [call_id]", f"CSeq: {sequence} {method}", "Max-Forwards: 70", *headers,
        ),
        retransmit=True,
    )  # fmt: skip
