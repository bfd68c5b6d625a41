"""What is answered of calls: in a list, and one with all that is known of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tracker.models import RecordingState
from tracker.policy.candidates import Basis
from tracker.policy.facts import Direction, GuardStep, HungUpBy, Outcome, Presentation, Spam
from tracker.policy.recovery import Recovered
from tracker.policy.taping import Withheld
from tracker.policy.worth import Category, Ground
from web.rest.shapes import Id, Page, Shape, SourceWords
from web.rest.visit_shapes import VisitBrief, VisitJourney

Money = Annotated[str | None, Field(description="An exact decimal", examples=["1200.5"])]


class CallSource(SourceWords):
    """Where a caller came from."""

    channel: Annotated[str | None, Field(description="A static channel; null for a website's visitor")]


class CallAttribution(Shape):
    """What names the source of a call, and how likely that is the right one."""

    basis: Annotated[Basis | None, Field(description="Null: nothing names one")]
    probability: float | None
    uncertain: Annotated[bool, Field(description="Do not count on it")]


class CallCandidateOut(Shape):
    """A source that was possible."""

    basis: Basis
    probability: float
    reasons: list[str]
    visit: VisitBrief | None
    channel: str | None


class CallAttributionDetails(CallAttribution):
    """The same, with all sources that were possible, the likeliest first."""

    candidates: list[CallCandidateOut]


class CallPause(Shape):
    """A stretch that was left out of the recording at somebody's wish."""

    at: Annotated[float, Field(description="Second of the recording")]
    seconds: float


class CallSound(Shape):
    """What there is to hear of a call."""

    state: RecordingState
    seconds: float | None
    sha256: str | None
    withheld: Annotated[Withheld | None, Field(description="Why it was not recorded")] = None
    pauses: list[CallPause] | None = None


class CallMessage(Shape):
    """What the caller left with a plan's voicemail; its sound is the call's recording."""

    at: datetime
    seconds: float | None


class CallReported(Shape):
    """The phone system that told of the call."""

    system: str
    reference: str
    recording_url: str | None


class CallOut(Shape):
    """A call."""

    key: str
    company: str
    direction: Annotated[
        Direction, Field(description="Of `out`, `caller` is the person called, `number` the one he saw")
    ]
    number: Annotated[str, Field(description="Dialled, E.164")]
    caller: Annotated[str | None, Field(description="Null where it is withheld, or there is none")]
    caller_name: str | None
    presentation: Presentation
    repeat: Annotated[bool, Field(description="The company has had a call of this caller before")]
    guard: Annotated[GuardStep | None, Field(description="Null: nothing kept it from ringing")]
    spam: Annotated[Spam | None, Field(description="What makes it spam; null: it is none")]
    source: Annotated[CallSource | None, Field(description="Null: nothing says where it came from")]
    attribution: CallAttribution
    started_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    wait_seconds: float | None
    talk_seconds: float | None
    outcome: Annotated[Outcome | None, Field(description="Null while the call is going on")]
    interrupted: Annotated[bool, Field(description="A crash cut it")]
    answered_by: str | None
    hung_up_by: HungUpBy | None
    category: Annotated[Category | None, Field(description="As a person said; null: nobody has yet")]
    tags: list[str]
    heard_of: str | None
    promo_code: str | None
    value: Money
    currency: str
    recording: Annotated[CallSound | None, Field(description="Null while the call is going on")]
    message: CallMessage | None
    reported: CallReported | None


class CallPage(Page):
    calls: list[CallOut]


class CallDetails(CallOut):
    """The call itself, with its possible sources and the visit named as its source."""

    attribution: CallAttributionDetails
    visit: VisitJourney | None


class CallFact(BaseModel):
    """A fact that one of the call's witnesses wrote down; what it says beside depends on its kind."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": True})

    kind: Annotated[str, Field(examples=["started", "leg_ended", "answered", "ended"])]


class CallMissed(Shape):
    """What became of a caller whom nobody took."""

    recovered: Recovered
    seconds: float | None
    by: Annotated[str | None, Field(description="The employee who spoke with him")]


class CallCategorySaid(Shape):
    """A category that a person set, or took back (null)."""

    at: datetime
    actor: str
    category: Category | None


class CallNoteOut(Shape):
    """What somebody wrote about a call."""

    id: Id
    at: datetime
    actor: str
    second: Annotated[float | None, Field(description="Of the recording; null: of the call as a whole")]
    text: str


class CallSuggestion(Shape):
    """What the call may have been, for people's eyes: never a category."""

    category: Category
    ground: Ground
    since: Annotated[datetime | None, Field(description="The earlier call that says so")]


class CallStoryOut(Shape):
    """A call with all that is known of it."""

    call: CallDetails
    events: Annotated[list[CallFact], Field(description="What its witnesses wrote down, in order")]
    earlier: Annotated[list[CallOut], Field(description="Of the same caller, the latest 20")]
    earlier_count: int
    later: Annotated[list[CallOut], Field(description="The next 20 of the same caller")]
    category_history: Annotated[list[CallCategorySaid], Field(description="The newest first")]
    notes: list[CallNoteOut]
    suggestion: CallSuggestion | None
    missed: Annotated[CallMissed | None, Field(description="Of a call that nobody took; else null")]
