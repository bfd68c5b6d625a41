"""A second Asterisk that plays the phone system a company had before us: extensions, park, queue, pick-up.

    pbx = Pbx(house.program, port=house.sip_port(PBX), leaseline=(OFFICE, house.settings.sip_port))
    anna = pbx.phone("2000")                     # a Telephone that is its extension 2000
    pbx.close()

It speaks SIP with us over loopback from an address of its own, as a peer that knows us by our address. Its
extensions are known by the name in From. More of a file, or another file, is given as its text.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from string import Template

from support.memory import short
from support.ports import free_port
from support.sip import Telephone

from dialplan.program import Program

PBX = "127.0.0.3"  # where it is
DESKS = "127.0.0.4"  # where its phones are
EXTENSIONS = ("2000", "2001", "2002")

_MODULES = (
    "res_timing_timerfd", "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "codec_alaw",
    "codec_ulaw", "format_pcm", "format_wav", "bridge_simple", "bridge_native_rtp", "bridge_softmix",
    "bridge_holding", "bridge_builtin_features", "res_rtp_asterisk", "res_srtp", "res_pjproject", "res_pjsip",
    "res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_pubsub", "res_pjsip_authenticator_digest",
    "res_pjsip_outbound_authenticator_digest", "res_pjsip_outbound_registration", "res_pjsip_registrar",
    "res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user", "res_pjsip_caller_id",
    "res_pjsip_dtmf_info", "res_pjsip_header_funcs", "res_pjsip_nat", "res_pjsip_refer",
    "res_pjsip_rfc3326", "res_pjsip_logger", "chan_pjsip", "pbx_config", "app_dial", "app_exec",
    "app_echo", "app_playtones", "app_queue", "app_stack", "app_directed_pickup", "app_verbose",
    "res_parking", "res_musiconhold", "func_callerid", "func_channel", "func_logic", "func_strings",
    "func_global",
)  # fmt: skip

# What an ordinary phone system does: each extension rings, “queue” lets the caller wait for its members,
# 700 parks, 8 and an extension picks up its call, anything longer goes out through us.
DIALPLAN = """
[general]
autofallthrough = yes

[from-leaseline]
exten => main,1,Dial(PJSIP/2000,30,tTkK)
exten => queue,1,Answer()
 same => n,Queue(office,tT,,,30)
exten => everybody,1,Dial(PJSIP/2000&PJSIP/2001,30,tTkK)
exten => _2XXX,1,Dial(PJSIP/$${EXTEN},30,tTkK)
exten => _+X.,1,Dial(PJSIP/2000,30,tTkK)
include => parkedcalls

[extensions]
exten => _2XXX,1,Dial(PJSIP/$${EXTEN},30,tTkK)
exten => 700,1,Park()
exten => _8X.,1,PickupChan(PJSIP/$${EXTEN:1},p)
exten => *8,1,Pickup()
exten => _X[0-9]X[0-9].,1,Dial(PJSIP/$${EXTEN}@leaseline,60,T)
exten => _+X.,1,Dial(PJSIP/$${EXTEN}@leaseline,60,T)
include => parkedcalls
"""

_FILES = {
    "asterisk.conf": """
[directories]
astetcdir => $folder
astmoddir => $modules
astdatadir => $data
astvarlibdir => $folder/state
astdbdir => $folder/state
astkeydir => $folder/state
astagidir => $folder/state
astspooldir => $folder/state
astrundir => $folder/run
astlogdir => $folder/log
astsbindir => $folder/state
[options]
systemname = pbx
""",
    "modules.conf": "[modules]\nautoload = no\n$loads\n",
    "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error\n",
    "rtp.conf": "[general]\nrtpstart = $rtp\nrtpend = $rtp_end\nstrictrtp = no\nicesupport = no\n",
    "pjsip.conf": """
[global]
type = global
endpoint_identifier_order = ip,username
[transport]
type = transport
protocol = udp
bind = $host:$port
[party](!)
type = endpoint
disallow = all
allow = ulaw,alaw
direct_media = no
rtp_symmetric = yes
allow_transfer = yes
trust_id_inbound = yes
send_pai = yes
[leaseline](party)
context = from-leaseline
aors = leaseline
[leaseline]
type = aor
contact = sip:$leaseline
[leaseline]
type = identify
endpoint = leaseline
match = $leaseline_host
$desks
""",
    "extensions.conf": DIALPLAN,
    "features.conf": "[general]\npickupexten = *8\n[featuremap]\nblindxfer = ##\natxfer = *2\n",
    "res_parking.conf": """
[default]
parkext = 700
parkpos = 701-709
context = parkedcalls
parkingtime = 120
findslot = next
""",
    "queues.conf": """
[general]
persistentmembers = no
[office]
strategy = linear
timeout = 10
retry = 1
joinempty = yes
$members
""",
    "musiconhold.conf": "[general]\n",
    "cdr.conf": "[general]\nenable = no\n",
    "acl.conf": "", "ccss.conf": "", "udptl.conf": "", "indications.conf": "[general]\ncountry = us\n",
    "stasis.conf": "", "pjproject.conf": "", "cel.conf": "", "manager.conf": "[general]\nenabled = no\n",
    "http.conf": "[general]\nenabled = no\n",
}  # fmt: skip

_DESK = """
[$name](party)
context = extensions
aors = $name
callerid = "Desk $name" <$name>
named_call_group = office
named_pickup_group = office
[$name]
type = aor
contact = sip:$name@$desks:$port
"""


class Pbx:
    """Started when it is made, on `host`:`port`; files of the configuration may be replaced by name."""

    def __init__(
        self,
        program: Program,
        *,
        port: int,
        leaseline: tuple[str, int],
        extensions: tuple[str, ...] = EXTENSIONS,
        members: tuple[str, ...] = (),
        files: Mapping[str, str] | None = None,
        host: str = PBX,
        rtp_start: int = 30000,
    ) -> None:
        self.program, self.host, self.port = program, host, port
        self.folder = Path(tempfile.mkdtemp(prefix="ll-pbx-", dir=short()))
        self.desks = {name: free_port() for name in extensions}
        self._write({**_FILES, **(files or {})}, leaseline, rtp_start, members or extensions)
        self._process = subprocess.Popen(
            [program.path, "-C", str(self.folder / "asterisk.conf"), "-f"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait_for_boot()

    def _write(
        self, files: Mapping[str, str], leaseline: tuple[str, int], rtp: int, members: tuple[str, ...]
    ) -> None:
        for name in ("state", "run", "log"):
            (self.folder / name).mkdir()
        desks = "\n".join(
            Template(_DESK).substitute(name=name, desks=DESKS, port=port) for name, port in self.desks.items()
        )
        values = {
            "folder": self.folder, "modules": self.program.modules, "data": self.program.data,
            "loads": "\n".join(f"load = {name}.so" for name in _MODULES), "rtp": rtp, "rtp_end": rtp + 499,
            "host": self.host, "port": self.port, "leaseline": f"{leaseline[0]}:{leaseline[1]}",
            "leaseline_host": leaseline[0], "desks": desks,
            "members": "\n".join(f"member => PJSIP/{name}" for name in members),
        }  # fmt: skip
        for name, text in files.items():
            (self.folder / name).write_text(Template(text).substitute(values))

    def _wait_for_boot(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while "fully booted" not in self.console("core waitfullybooted"):
            if time.monotonic() > end or self._process.poll() is not None:
                raise TimeoutError(f"the phone system does not start: {self.log()}")
            time.sleep(0.1)

    def phone(self, extension: str) -> Telephone:
        """The telephone on that desk."""
        return Telephone((self.host, self.port), DESKS, port=self.desks[extension], user=extension)

    def console(self, line: str) -> str:
        """What its command line answers."""
        done = subprocess.run(
            [self.program.path, "-C", str(self.folder / "asterisk.conf"), "-rx", line],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        return done.stdout

    def log(self) -> str:
        file = self.folder / "log" / "messages"
        return file.read_text(errors="replace")[-3000:] if file.exists() else "no log"

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
