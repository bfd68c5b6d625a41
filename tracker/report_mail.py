"""A report as an e-mail: the answer first, then rows and figures, how much is known, and who had it sent.

As text, and as HTML that programs leave alone: tables, styles on each cell, nothing from elsewhere.
Ground and letters are both said wherever one is, so that a program which darkens mails keeps them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from tracker.policy import report_text
from tracker.policy.alert_words import N_
from tracker.policy.report import Line, Report
from tracker.policy.report_text import unit
from tracker.policy.tongue import MINUS, Tongue

MOST_ROWS = 20
Column = tuple[str, Callable[[Line], str]]


@dataclass(frozen=True)
class Told:
    """What a mail says of its report besides the figures."""

    company: str
    name: str
    page: str  # where it is seen
    stop: str  # where its sending is ended
    who: str  # had it sent
    times: str
    zone: str
    file: str


def subject(report: Report, told: Told, tongue: Tongue) -> str:
    return f"[{told.company}] {told.name}: {tongue.days(report.span)}"


def file_name(report: Report, name: str) -> str:
    """The workbook's: the report's name and days."""
    plain = re.sub(r"[^\w]+", "-", name).strip("-").lower() or "report"
    return f"{plain}-{report.span.first}-{report.span.last}.xlsx"


def columns(report: Report, tongue: Tongue) -> list[Column]:
    """As many figures as a telephone shows beside the row's name."""
    calls: Column = (tongue.tell(N_("Calls")), lambda it: tongue.count(it.sums.calls))
    if not report_text.has_money(report):
        return [
            calls,
            (tongue.tell(N_("Share of calls")), lambda it: tongue.percent(it.share)),
            (tongue.tell(N_("Missed calls")), lambda it: tongue.count(it.sums.missed)),
            (tongue.tell(N_("Target calls")), lambda it: tongue.count(it.sums.target)),
        ]
    currency = report.currency
    return [
        calls,
        (tongue.tell(N_("Orders")), lambda it: tongue.count(it.sums.orders)),
        (unit(tongue.tell(N_("Cost")), currency), lambda it: tongue.amount(it.sums.cost)),
        (unit(tongue.tell(N_("Net profit")), currency), lambda it: tongue.amount(it.sums.net)),
        (unit(tongue.tell(N_("ROMI")), "%"), lambda it: report_text.returns(it, tongue)),
    ]


def _shown(report: Report) -> list[Line]:
    return [*report.lines[:MOST_ROWS], report.whole]


def _figures(report: Report, line: Line, shown: Sequence[Column]) -> list[tuple[str, str]]:
    """The row's figures, each with that of the model beside where it differs."""
    other = report_text.by_other(report, line)
    told = [(tell(line), tell(other) if other else "") for _, tell in shown]
    return [(one, second if second != one else "") for one, second in told]


def _compared(report: Report, tongue: Tongue) -> list[str]:
    """What stands side by side: two models, or the days before with the figures of both."""
    if report.against is not None:
        return [report_text.side_by_side(report, tongue)]
    whole, then = report.whole.sums, report.whole.before
    if report.before is None or then is None:
        return []
    calls = N_("Calls: %(now)s, before: %(before)s")
    found = [tongue.tell(calls, now=tongue.count(whole.calls), before=tongue.count(then.calls))]
    if report_text.has_money(report):
        cost = N_("Cost: %(now)s, before: %(before)s")
        net = N_("Net profit: %(now)s, before: %(before)s")
        found += [
            tongue.tell(cost, now=tongue.amount(whole.cost), before=tongue.amount(then.cost)),
            tongue.tell(net, now=tongue.amount(whole.net), before=tongue.amount(then.net)),
        ]
    return [f"{tongue.tell(report_text.COMPARED)}: {tongue.days(report.before)}", " · ".join(found)]


_SMALLER = N_("The smaller figures, where they differ, are by the model “%(model)s”.")
_IN_BRACKETS = N_("The figures in brackets, where they differ, are by the model “%(model)s”.")


def _beneath(report: Report, said: str, tongue: Tongue) -> list[str]:
    """What the second figures of the table are."""
    if report.against is None:
        return []
    return [tongue.tell(said, model=report_text.model_name(report.against, tongue))]


def _notes(report: Report, told: Told, tongue: Tongue) -> list[str]:
    """Below the table."""
    more = len(report.lines) - MOST_ROWS
    rest = N_("Rows that are not shown here: %(count)s. The attached workbook has all of them.")
    whole = N_("The attached workbook has every figure: %(file)s")
    first = tongue.tell(rest, count=tongue.count(more)) if more > 0 else tongue.tell(whole, file=told.file)
    read = [*report_text.coverage(report, tongue), *report_text.model(report, tongue)]
    return [first, *read, *(report_text.conventions(tongue) if report_text.has_money(report) else ())]


def _ending(told: Told, tongue: Tongue) -> list[str]:
    """Who had it sent, and how that ends."""
    return [
        tongue.tell(
            N_("%(who)s had this report sent to you. %(times)s (%(zone)s)."),
            who=told.who,
            times=told.times,
            zone=told.zone,
        ),
        tongue.tell(N_("To stop it, ask them, or delete that time: %(address)s"), address=told.stop),
    ]


# ---- text ----

_SEE = N_("See the report and the calls behind each figure:")


def text(report: Report, told: Told, tongue: Tongue) -> str:
    """The mail for programs that show no HTML."""
    head = [told.name, f"{told.company}. {tongue.days(report.span)}", *_compared(report, tongue)]
    parts = [
        "\n".join(head),
        "\n".join(f"* {each}" for each in report_text.advice(report, tongue)),
        "\n".join((_text_table(report, tongue), *_beneath(report, _IN_BRACKETS, tongue))),
        f"{tongue.tell(_SEE)}\n{told.page}",
        "\n".join(_notes(report, told, tongue)),
        "-- \n" + "\n".join(_ending(told, tongue)),
    ]
    return "\n\n".join(parts) + "\n"


def _text_table(report: Report, tongue: Tongue) -> str:
    shown = columns(report, tongue)
    rows = [[" / ".join(report_text.titles(report, tongue)), *(title for title, _ in shown)]]
    figures = [_figures(report, line, shown) for line in _shown(report)]
    brackets = [max(len(second) for _, second in column) for column in zip(*figures, strict=True)]
    for line, told in zip(_shown(report), figures, strict=True):
        cells = (_bracketed(*each, width) for each, width in zip(told, brackets, strict=True))
        rows.append([_row_name(report, line, tongue), *cells])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(_text_row(row, widths) for row in rows)


def _bracketed(one: str, second: str, width: int) -> str:
    """The figure, and in brackets the other one; with room for it where other rows have one."""
    return f"{one} {f'({second})' if second else '':>{width + 2}}" if width else one


def _text_row(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = row
    figures = (value.rjust(width) for value, width in zip(others, widths[1:], strict=True))
    return "  ".join((first.ljust(widths[0]), *figures)).rstrip()


def _row_name(report: Report, line: Line, tongue: Tongue) -> str:
    return " / ".join(name for name in report_text.names(report, line, tongue) if name)[:60]


# ---- HTML ----

_FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;"
_INK, _MUTED, _LINE, _ACCENT = "#1a1f36", "#596075", "#e3e6ee", "#3d4eac"
_LOSS = "#b3261e"
_PAGE, _CARD, _ANSWER = "#f5f6fa", "#ffffff", "#eef1fb"
_LEFT = (
    f"padding:7px 4px 7px 0;text-align:left;border-bottom:1px solid {_LINE};color:{_INK};vertical-align:top;"
)
_RIGHT = (
    f"padding:7px 0 7px 6px;text-align:right;border-bottom:1px solid {_LINE};"
    "white-space:nowrap;vertical-align:top;"
)
_HEAD = f"font-size:11px;font-weight:600;color:{_MUTED};white-space:normal;vertical-align:bottom;"


def html(report: Report, told: Told, tongue: Tongue) -> str:
    """The same as HTML."""
    title = escape(told.name)
    head = [f"{told.company} · {tongue.days(report.span)}", *_compared(report, tongue)]
    days = "<br>".join(map(escape, head))
    inner = "".join(
        (
            f'<h1 style="margin:0 0 4px;font-size:20px;line-height:1.3;color:{_INK};">{title}</h1>',
            f'<p style="margin:0 0 16px;color:{_MUTED};">{days}</p>',
            _answer(report_text.advice(report, tongue)),
            _html_table(report, tongue),
            *map(_caption, _beneath(report, _SMALLER, tongue)),
            _button(told.page, tongue.tell(N_("Open the report"))),
            _small(_notes(report, told, tongue)),
            _small(_ending(told, tongue), f"padding-top:12px;border-top:1px solid {_LINE};"),
        )
    )
    return (
        f'<!doctype html><html lang="{tongue.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light"><meta name="supported-color-schemes" content="light">'
        f"<title>{title}</title></head>"
        f'<body style="margin:0;padding:0;background-color:{_PAGE};{_FONT}font-size:14px;line-height:1.5;">'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="{_PAGE}"><tr>'
        '<td align="center" style="padding:12px 4px;">'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="{_CARD}" '
        f'style="max-width:640px;background-color:{_CARD};border:1px solid {_LINE};border-radius:8px;"><tr>'
        f'<td style="padding:18px 12px;color:{_INK};{_FONT}font-size:14px;line-height:1.5;">'
        f'<div role="main">{inner}</div></td>'
        "</tr></table></td></tr></table></body></html>\n"
    )


def _answer(sentences: Iterable[str]) -> str:
    said = "".join(
        f'<p style="margin:0 0 6px;color:{_INK};font-size:15px;">{escape(each)}</p>' for each in sentences
    )
    return (
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="{_ANSWER}" '
        f'style="margin:0 0 16px;background-color:{_ANSWER};border-left:4px solid {_ACCENT};"><tr>'
        f'<td style="padding:12px 14px 6px;{_FONT}">{said}</td></tr></table>'
    )


def _html_table(report: Report, tongue: Tongue) -> str:
    shown = columns(report, tongue)
    head = " / ".join(report_text.titles(report, tongue))
    cells = f'<th scope="col" style="{_LEFT}{_HEAD}">{escape(head)}</th>'
    cells += "".join(f'<th scope="col" style="{_RIGHT}{_HEAD}">{escape(title)}</th>' for title, _ in shown)
    body = "".join(_html_row(report, line, shown, tongue) for line in _shown(report))
    return (
        f'<table width="100%" cellpadding="0" cellspacing="0" '
        f'style="border-collapse:collapse;margin:0 0 16px;font-size:12px;{_FONT}">'
        f"<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
    )


def _html_row(report: Report, line: Line, shown: Sequence[Column], tongue: Tongue) -> str:
    bold = "" if line.key else "font-weight:700;"
    name = escape(_row_name(report, line, tongue))
    cells = (
        f'<th scope="row" style="{_LEFT}font-weight:{"400" if line.key else "700"};word-break:break-word;">'
    )
    cells += f"{name}</th>"
    return (
        f"<tr>{cells}"
        + "".join(
            f'<td style="{_RIGHT}{bold}color:{_colour(one, _INK)};">{escape(one)}{_second(second)}</td>'
            for one, second in _figures(report, line, shown)
        )
        + "</tr>"
    )


def _second(figure: str) -> str:
    style = f"font-size:11px;font-weight:400;color:{_colour(figure, _MUTED)};"
    return f'<br><span style="{style}">{escape(figure)}</span>' if figure else ""


def _colour(figure: str, usual: str) -> str:
    """A loss stands out."""
    return _LOSS if MINUS in figure else usual


def _caption(said: str) -> str:
    return f'<p style="margin:-8px 0 16px;font-size:12px;color:{_MUTED};">{escape(said)}</p>'


def _button(address: str, words: str) -> str:
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 16px;"><tr>'
        f'<td bgcolor="{_ACCENT}" style="border-radius:6px;background-color:{_ACCENT};">'
        f'<a href="{escape(address)}" style="display:inline-block;padding:10px 16px;color:#ffffff;'
        f'font-weight:600;text-decoration:none;{_FONT}">{escape(words)}</a></td></tr></table>'
    )


def _small(sentences: Iterable[str], more: str = "") -> str:
    said = "<br>".join(_linked(each) for each in sentences)
    return f'<p style="margin:0 0 12px;font-size:12px;color:{_MUTED};{more}">{said}</p>'


def _linked(sentence: str) -> str:
    """An address in a sentence as a link."""
    return re.sub(r"(https?://[^\s<]+)", rf'<a href="\1" style="color:{_ACCENT};">\1</a>', escape(sentence))
