"""The tables. Import models from here, so that every one of them is mapped."""

from tracker.models.alerts import Alert, AlertAddress, AlertMessage, News, Way
from tracker.models.applying import ApplyRequest, NodeConfiguration, SiteCheck
from tracker.models.base import Base
from tracker.models.calls import (
    Call,
    CallCandidate,
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
    WhenEmpty,
)
from tracker.models.money import ApiKey, ChannelRent, Cost, ExchangeRate, Sale
from tracker.models.people import (
    AuditEntry,
    LoginAttempts,
    LoginLink,
    LoginSession,
    Membership,
    RecoveryCode,
    SavedView,
    User,
)
from tracker.models.reports import ReportLink, ReportMail, ReportSchedule, SavedReport
from tracker.models.sheets import DaySheet, SheetColumn, sheet_changes
from tracker.models.visits import (
    CodeLease,
    DelayModel,
    Lease,
    MissCount,
    PageView,
    Referrer,
    Site,
    SourceRule,
    Swap,
    Visit,
    VisitEvent,
    VisitEventKind,
    Visitor,
)
from tracker.models.worth import CallCategory, CallNote, CallTag, Link, ShareLink, Tag
from tracker.policy.alerts import AlertKind
from tracker.policy.costs import Entered
from tracker.policy.leasing import LeaseEnd
from tracker.policy.rights import Role
from tracker.policy.sales import Match, SaleStatus
from tracker.policy.schedules import Every
from tracker.policy.worth import Category

__all__ = [
    "Alert", "AlertAddress", "AlertKind", "AlertMessage", "ApiKey", "ApplyRequest", "AuditEntry", "Base",
    "Call", "CallCandidate", "CallCategory", "CallEvent", "CallNote", "CallTag", "CallerIdPolicy",
    "Category", "Channel", "ChannelRent", "CodeLease", "Company", "Cost", "DaySheet", "DelayModel",
    "Entered", "Every", "ExchangeRate", "Forwarding", "Lease", "LeaseEnd", "Link", "LoginAttempts",
    "LoginLink", "LoginSession", "Match", "Membership", "MissCount", "News", "Node", "NodeConfiguration",
    "Number", "NumberState", "NumberUse", "PageView", "Pool", "QuarantinedLine", "Recording",
    "RecordingState", "RecoveryCode", "Referrer", "Refusal", "ReportLink", "ReportMail",
    "ReportSchedule", "Role", "Sale", "SaleStatus", "SavedReport", "SavedView", "ShareLink",
    "SheetColumn", "Site",
    "SiteCheck", "SourceRule", "SpoolFile", "Swap", "Tag", "Target", "TargetKind", "Transport", "Trunk",
    "TrunkKind", "User", "Visit", "VisitEvent", "VisitEventKind", "Visitor", "WaitingFact", "Way",
    "WhenEmpty", "sheet_changes",
]  # fmt: skip
