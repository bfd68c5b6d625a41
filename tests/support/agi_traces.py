"""What Asterisk 22.10.1 said over AMI about a real call, cut down to the fields that are read.

The call rang target 2, an outside number reached over trunk 2, which was busy; then target 1, which answered and
handed the call on to target 2's phone system (REFER); the caller hung up.
"""

from __future__ import annotations

# ruff: noqa: E501  (one event a line)

HANDED_ON: list[dict[str, str]] = [
    {"Event": "NewAccountCode", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Ring", "AccountCode": "call-1", "Context": "leaseline-call", "Exten": "s", "Uniqueid": "main-1", "Linkedid": "main-1"},
    {"Event": "NewAccountCode", "Channel": "PJSIP/trunk-2-00000012", "ChannelStateDesc": "Down", "AccountCode": "call-1", "Context": "from-trunk", "Exten": "2", "Uniqueid": "main-2", "Linkedid": "main-1"},
    {"Event": "DialState", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Ring", "AccountCode": "call-1", "Context": "leaseline-targets", "Exten": "2", "Uniqueid": "main-1", "Linkedid": "main-1", "DestChannel": "PJSIP/trunk-2-00000012", "DestUniqueid": "main-2", "DialStatus": "RINGING"},
    {"Event": "Hangup", "Channel": "PJSIP/trunk-2-00000012", "ChannelStateDesc": "Ringing", "AccountCode": "call-1", "Context": "from-trunk", "Exten": "2", "Uniqueid": "main-2", "Linkedid": "main-1"},
    {"Event": "NewAccountCode", "Channel": "PJSIP/target-1-00000013", "ChannelStateDesc": "Down", "AccountCode": "call-1", "Context": "from-target", "Exten": "1", "Uniqueid": "main-3", "Linkedid": "main-1"},
    {"Event": "DialState", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Ring", "AccountCode": "call-1", "Context": "leaseline-targets", "Exten": "1", "Uniqueid": "main-1", "Linkedid": "main-1", "DestChannel": "PJSIP/target-1-00000013", "DestUniqueid": "main-3", "DialStatus": "RINGING"},
    {"Event": "BridgeEnter", "Channel": "PJSIP/target-1-00000013", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Uniqueid": "main-3", "Linkedid": "main-1", "BridgeUniqueid": "bridge-1"},
    {"Event": "BridgeEnter", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "leaseline-targets", "Exten": "1", "Uniqueid": "main-1", "Linkedid": "main-1", "BridgeUniqueid": "bridge-1"},
    {"Event": "BridgeLeave", "Channel": "PJSIP/target-1-00000013", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Uniqueid": "main-3", "Linkedid": "main-1", "BridgeUniqueid": "bridge-1"},
    {"Event": "BridgeLeave", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Exten": "2000", "Uniqueid": "main-1", "Linkedid": "main-1", "BridgeUniqueid": "bridge-1"},
    {"Event": "Hangup", "Channel": "PJSIP/target-1-00000013", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Uniqueid": "main-3", "Linkedid": "main-1"},
    {"Event": "NewAccountCode", "Channel": "PJSIP/target-2-00000014", "ChannelStateDesc": "Down", "AccountCode": "call-1", "Context": "from-target", "Exten": "2000", "Uniqueid": "main-4", "Linkedid": "main-1"},
    {"Event": "DialState", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Exten": "2000", "Uniqueid": "main-1", "Linkedid": "main-1", "DestChannel": "PJSIP/target-2-00000014", "DestUniqueid": "main-4", "DialStatus": "RINGING"},
    {"Event": "BridgeEnter", "Channel": "PJSIP/target-2-00000014", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Uniqueid": "main-4", "Linkedid": "main-1", "BridgeUniqueid": "bridge-2"},
    {"Event": "BridgeEnter", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Exten": "2000", "Uniqueid": "main-1", "Linkedid": "main-1", "BridgeUniqueid": "bridge-2"},
    {"Event": "BridgeLeave", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Exten": "2000", "Uniqueid": "main-1", "Linkedid": "main-1", "BridgeUniqueid": "bridge-2"},
    {"Event": "BridgeLeave", "Channel": "PJSIP/target-2-00000014", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Uniqueid": "main-4", "Linkedid": "main-1", "BridgeUniqueid": "bridge-2"},
    {"Event": "Hangup", "Channel": "PJSIP/target-2-00000014", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Uniqueid": "main-4", "Linkedid": "main-1"},
    {"Event": "Hangup", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Exten": "2000", "Uniqueid": "main-1", "Linkedid": "main-1"},
]  # fmt: skip

# CoreShowChannels while target 1 was talking.
LISTED: list[dict[str, str]] = [
    {"Event": "CoreShowChannel", "Channel": "PJSIP/target-1-00000013", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "from-target", "Uniqueid": "main-3", "Linkedid": "main-1", "BridgeId": "bridge-1", "Duration": "00:00:01"},
    {"Event": "CoreShowChannel", "Channel": "PJSIP/trunk-1-00000011", "ChannelStateDesc": "Up", "AccountCode": "call-1", "Context": "leaseline-targets", "Exten": "1", "Uniqueid": "main-1", "Linkedid": "main-1", "BridgeId": "bridge-1", "Duration": "00:00:02"},
]  # fmt: skip
