"""Reports that companies keep: saved, sent by e-mail at their times, shared by links, taken as workbooks."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from tracker import report_mail, report_schedules, report_workbook, saved_reports
from tracker.links import Made, makers_of
from tracker.models import Company, ReportLink, SavedReport
from tracker.policy import report_text
from tracker.policy.report_text import times
from tracker.policy.report_wish import is_compared, read_against, read_wish
from tracker.policy.report_words import By
from tracker.policy.rights import Right
from tracker.policy.saved_reports import query_of, words_of
from tracker.policy.schedules import read_addresses, read_schedule
from tracker.policy.tongue import Tongue
from tracker.report_schedules import Listed, when_of
from tracker.report_sender import WORKBOOK
from tracker.reports import read_asked
from web.filters import PERIODS
from web.house import house, row_id
from web.languages import language
from web.money import company_meant, having
from web.one_company import only_one
from web.settings.forms import EMPTY, Form, attempt, text
from web.viewer import SeenCompany, hand, viewer

pages = Blueprint("saved_reports", __name__)

FIELDS = {
    "saved_report.nameless": ("name",), "saved_report.duplicate": ("name",), "schedule.nobody": ("to",),
    "schedule.many": ("to",), "address.malformed": ("to",), "schedule.day": ("day",),
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A saved report with all that the page says of it."""

    report: SavedReport
    words: str
    address: str
    by: str
    schedules: list[Listed]
    links: list[Made[ReportLink]]
    may_schedule: bool


def install(app: Flask) -> None:
    """What templates say of saved reports."""
    app.jinja_env.globals.update(
        report_words=words_in_short, schedule_words=lambda it: times(when_of(it), tongue()), saving=saving,
        LINK_DAYS=saved_reports.DAYS, weekday_names=lambda: report_text.weekdays(tongue()),
    )  # fmt: skip
    app.register_blueprint(pages)


def tongue() -> Tongue:
    """The present answer's language, for what tracker/ says of reports."""
    return Tongue(gettext, language())


def _changing(report: str, right: Right, change: Callable[[Session, SavedReport], None]) -> Answer:
    """Change the saved report, and show it again."""

    def do() -> str:
        with house().database.write() as session:
            it = _report(session, report, right)
            change(session, it)
            return _place(it)

    return attempt(do, _page, FIELDS)


# ---- the list ----


@pages.get("/reports/saved")
def index() -> str:
    """The saved reports of one's companies: each with when it is sent, to whom, and its links."""
    return _page()


@pages.post("/reports/saved")
def save() -> Answer:
    """Keeps the words `query` of a report's address as `name`."""

    def change() -> str:
        mine = company_meant(Right.JUDGE)
        with house().database.write() as session:
            company = session.get_one(Company, mine.id)
            made = saved_reports.save(session, hand(), company, text("name"), words_of(text("query")))
            return _place(made)

    return attempt(change, _page, FIELDS)


@pages.post("/reports/saved/<report>/rename")
def rename(report: str) -> Answer:
    """Gives the report another `name`."""

    def change(session: Session, it: SavedReport) -> None:
        saved_reports.rename(session, hand(), it, text("name"))

    return _changing(report, Right.JUDGE, change)


@pages.post("/reports/saved/<report>/delete")
def delete(report: str) -> Answer:
    """Deletes the report, its times and its links; one that is sent, only whoever administers its company."""

    def change() -> str:
        with house().database.write() as session:
            it = _report(session, report, Right.JUDGE)
            if report_schedules.list_schedules(session, [it.id]):
                viewer().need(Right.ADMINISTER, it.company_id)
            saved_reports.delete(session, hand(), it)
            return "/reports/saved"

    return attempt(change, _page, FIELDS)


# ---- sent by e-mail ----


@pages.post("/reports/saved/<report>/schedules")
def schedule(report: str) -> Answer:
    """Sends the report `every` day, week (`weekday`) or month (`day`) at `hour`, to the addresses `to`."""

    def change(session: Session, it: SavedReport) -> None:
        day = text("weekday") if text("every") == "week" else text("day")
        when = read_schedule(text("every"), day, text("hour"))
        report_schedules.add(session, hand(), it, when, read_addresses(text("to")))

    return _changing(report, Right.ADMINISTER, change)


@pages.post("/reports/saved/<report>/schedules/<schedule>/delete")
def unschedule(report: str, schedule: str) -> Answer:
    """Sends the report no more at that time."""

    def change(session: Session, it: SavedReport) -> None:
        found = report_schedules.get_schedule(session, it, row_id(schedule))
        report_schedules.delete(session, hand(), it, found)

    return _changing(report, Right.ADMINISTER, change)


@pages.post("/reports/saved/<report>/schedules/<schedule>/send")
def send(report: str, schedule: str) -> Answer:
    """Sends the report once at once, to those who get it at that time."""

    def change(session: Session, it: SavedReport) -> None:
        found = report_schedules.get_schedule(session, it, row_id(schedule))
        report_schedules.send_now(session, hand(), it, found)

    return _changing(report, Right.ADMINISTER, change)


# ---- shared by links ----


@pages.post("/reports/saved/<report>/share")
def share(report: str) -> Answer:
    """Makes a link that lives `days`; told in the answer, once."""

    def change() -> Answer:
        with house().database.write() as session:
            it = _report(session, report, Right.JUDGE)
            token = saved_reports.make_link(session, hand(), it, days=row_id(text("days")))
        made = house().settings.web_url.rstrip("/") + f"/shared/reports/{token}"
        return Response(_page(fresh=(it.id, made)))

    return attempt(change, _page, FIELDS)


@pages.post("/reports/saved/<report>/share/<link>/revoke")
def revoke(report: str, link: str) -> Answer:
    """Takes a link back: it opens nothing from now on."""

    def change(session: Session, it: SavedReport) -> None:
        saved_reports.revoke_link(session, hand(), it, row_id(link))

    return _changing(report, Right.JUDGE, change)


# ---- as a file ----


@pages.get("/reports.xlsx")
def as_workbook() -> Response:
    """The report that the words of the address ask for, as `/api/v1/report` reads them, as a workbook."""
    mine, by, words = only_one(), hand(), request.args.to_dict()
    with house().database.read() as session:
        company = session.get_one(Company, mine.id)
        found = read_asked(session, company, words, by.at)
    title = words_in_short(words)
    out = io.BytesIO()
    report_workbook.write(found, out, tongue(), title, mine.name)
    with house().database.write() as session:
        by.note(session, "report.export", mine.id, detail={"query": query_of(words), "format": "xlsx"})
    response = Response(out.getvalue(), mimetype=WORKBOOK)
    name = report_mail.file_name(found, found.wish.by.value)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# ---- what is shown ----


def saving() -> list[SeenCompany]:
    """The companies in which one may save a report."""
    return viewer().having(Right.JUDGE)


def words_in_short(words: dict[str, str]) -> str:
    """What a report is of, in a line: "Campaign, Medium · Last month"."""
    wish = read_wish(words)
    rows = ", ".join(tongue().tell(report_text.TITLES.get(by, by.value)) for by in wish.parts)
    only = [f"{tongue().tell(report_text.TITLES[By(name)])}: {word}" for name, word in wish.only.items()]
    against = read_against(words, wish)
    model = [report_text.model_name(wish, tongue())] if wish.model else []
    if against is not None:
        beside = gettext("beside it “%(model)s”", model=report_text.model_name(against, tongue()))
    else:
        beside = gettext("compared with before") if is_compared(words) else ""
    return " · ".join((rows, *only, _days(words), *model, *filter(None, (beside,))))


def _days(words: dict[str, str]) -> str:
    if "since" in words or "until" in words:
        return f"{words.get('since', '…')} – {words.get('until', '…')}"
    period = words.get("period", "30d").replace("-", "_")
    return next((str(word) for key, word in PERIODS.items() if key.value == period), period)


def _page(form: Form = EMPTY, fresh: tuple[int, str] | None = None) -> str:
    mine = having(Right.JUDGE)
    with house().database.read() as session:
        found = _shown(session, [it.id for it in mine])
    here = form.typed.get("report", "") if form.typed is not None else ""
    return render_template(
        "saved_reports.html", reports=found, companies=mine, form=form, here=here, fresh=fresh,
        mail=bool(house().settings.smtp_host),
    )  # fmt: skip


def _shown(session: Session, company_ids: list[int]) -> list[Shown]:
    reports = saved_reports.list_reports(session, company_ids)
    ids = [it.id for it in reports]
    schedules = report_schedules.list_schedules(session, ids)
    links = saved_reports.links_of(session, ids)
    names = makers_of(session, (it.made_by for it in reports))
    return [
        Shown(
            report=it,
            words=words_in_short(it.words),
            address=f"/reports?company={it.company.slug}&{query_of(it.words)}",
            by=names.get(it.made_by, it.made_by),
            schedules=schedules.get(it.id, []),
            links=links.get(it.id, []),
            may_schedule=viewer().may(Right.ADMINISTER, it.company_id),
        )
        for it in reports
    ]


def _report(session: Session, report: str, right: Right) -> SavedReport:
    """The report of an address, if one has that right in its company."""
    found = saved_reports.get_report(session, viewer().company_ids, row_id(report))
    viewer().need(right, found.company_id)
    return found


def _place(it: SavedReport) -> str:
    return f"/reports/saved#report-{it.id}"
