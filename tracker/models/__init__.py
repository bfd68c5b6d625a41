"""The tables. Import models from here, so that every one of them is mapped."""

from tracker.models.base import Base
from tracker.models.calls import (
    Call,
    CallEvent,
    Node,
    QuarantinedLine,
    Recording,
    RecordingState,
    Refusal,
    SpoolFile,
    WaitingFact,
)
from tracker.models.company import (
    CallerIdPolicy,
    Channel,
    Company,
    Forwarding,
    Number,
    NumberState,
    NumberUse,
    Pool,
    Target,
    TargetKind,
    Transport,
    Trunk,
    TrunkKind,
)
from tracker.models.people import AuditEntry, LoginAttempts, LoginLink, LoginSession, Membership, Role, User
from tracker.models.visits import Lease, Site, Visit, Visitor

__all__ = [
    "AuditEntry", "Base", "Call", "CallEvent", "CallerIdPolicy", "Channel", "Company", "Forwarding", "Lease",
    "LoginAttempts", "LoginLink", "LoginSession", "Membership", "Node", "Number", "NumberState", "NumberUse",
    "Pool", "QuarantinedLine", "Recording", "RecordingState", "Refusal", "Role", "Site", "SpoolFile",
    "Target", "TargetKind", "Transport", "Trunk", "TrunkKind", "User", "Visit", "Visitor", "WaitingFact",
]  # fmt: skip
