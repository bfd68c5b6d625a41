"""The tables. Import models from here, so that every one of them is mapped."""

from tracker.models.alerts import Alert, AlertAddress, AlertMessage, News, Way
from tracker.models.answers import ApiAnswer
from tracker.models.applying import ApplyRequest, NodeConfiguration, SiteCheck
from tracker.models.base import Base
from tracker.models.beside import CallFolder, ReportedCall
from tracker.models.callbacks import CallbackRequest, CallbackSettings, CallbackTry, CallbackVia
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
    DialAs,
    DtmfMode,
    Forwarding,
    Number,
    NumberState,
    NumberUse,
    OutgoingRule,
    Pool,
    Srtp,
    Target,
    TargetKind,
    Transport,
    Trunk,
    TrunkKind,
    WhenEmpty,
)
from tracker.models.deliveries import Delivery, Destination
from tracker.models.guards import CallerRule, Guard
from tracker.models.inlets import Arrival, Inlet, Responsible
from tracker.models.message_mails import MessageMail
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
from tracker.models.plans import CallPlan, PlanCase, PlanUse, PlanVersion
from tracker.models.provision import ProvisionLink
from tracker.models.reports import ReportLink, ReportMail, ReportSchedule, SavedReport
from tracker.models.sheets import DaySheet, SheetColumn, sheet_changes
from tracker.models.sound import Consent, Prompt, Unrecorded
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
from tracker.models.watched import ProcessFigures
from tracker.models.worth import CallCategory, CallNote, CallTag, Link, ShareLink, Tag
from tracker.policy.alerts import AlertKind
from tracker.policy.callback import CallbackReason, CallbackState
from tracker.policy.costs import Entered
from tracker.policy.leasing import LeaseEnd
from tracker.policy.rights import Role
from tracker.policy.sales import Match, SaleStatus
from tracker.policy.schedules import Every
from tracker.policy.taping import ConsentMode, Wish, Withheld
from tracker.policy.worth import Category

__all__ = [
    "Alert",
    "AlertAddress",
    "AlertKind",
    "AlertMessage",
    "ApiAnswer",
    "ApiKey",
    "ApplyRequest",
    "Arrival",
    "AuditEntry",
    "Base",
    "Call",
    "CallCandidate",
    "CallCategory",
    "CallEvent",
    "CallFolder",
    "CallNote",
    "CallPlan",
    "CallTag",
    "CallbackReason",
    "CallbackRequest",
    "CallbackSettings",
    "CallbackState",
    "CallbackTry",
    "CallbackVia",
    "CallerIdPolicy",
    "CallerRule",
    "Category",
    "Channel",
    "ChannelRent",
    "CodeLease",
    "Company",
    "Consent",
    "ConsentMode",
    "Cost",
    "DaySheet",
    "DelayModel",
    "Delivery",
    "Destination",
    "DialAs",
    "DtmfMode",
    "Entered",
    "Every",
    "ExchangeRate",
    "Forwarding",
    "Guard",
    "Inlet",
    "Lease",
    "LeaseEnd",
    "Link",
    "LoginAttempts",
    "LoginLink",
    "LoginSession",
    "Match",
    "Membership",
    "MessageMail",
    "MissCount",
    "News",
    "Node",
    "NodeConfiguration",
    "Number",
    "NumberState",
    "NumberUse",
    "OutgoingRule",
    "PageView",
    "PlanCase",
    "PlanUse",
    "PlanVersion",
    "Pool",
    "ProcessFigures",
    "Prompt",
    "ProvisionLink",
    "QuarantinedLine",
    "Recording",
    "RecordingState",
    "RecoveryCode",
    "Referrer",
    "Refusal",
    "ReportLink",
    "ReportMail",
    "ReportSchedule",
    "ReportedCall",
    "Responsible",
    "Role",
    "Sale",
    "SaleStatus",
    "SavedReport",
    "SavedView",
    "ShareLink",
    "SheetColumn",
    "Site",
    "SiteCheck",
    "SourceRule",
    "SpoolFile",
    "Srtp",
    "Swap",
    "Tag",
    "Target",
    "TargetKind",
    "Transport",
    "Trunk",
    "TrunkKind",
    "Unrecorded",
    "User",
    "Visit",
    "VisitEvent",
    "VisitEventKind",
    "Visitor",
    "WaitingFact",
    "Way",
    "WhenEmpty",
    "Wish",
    "Withheld",
    "sheet_changes",
]
