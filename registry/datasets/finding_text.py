"""Findings in words: how many of what, what the action does to the total, and where to look."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.lib.formatting import format_day, format_percent, format_whole_number

SERIES_FINDINGS = {"constant", "level-change", "short", "ended"}
DAY_FINDINGS = {"store-gap", "product-gap", "only-sold"}
PLAIN_FINDINGS = {"new-store", "new-product", "other-sheets", "joined-sheets", "one-store"}
SMALLEST_SHARE = 0.001  # that is written out
WIDTH = 100.0  # of a picture
Finding = dict[str, Any]


def count_text(finding: Finding) -> str:
    """How many rows, days or series it is about."""
    code, count = finding["code"], finding["count"]
    words = {"count": format_whole_number(count)}
    if code in SERIES_FINDINGS:
        return ngettext("%(count)s series", "%(count)s series", count) % words
    if code in DAY_FINDINGS:
        return ngettext("%(count)s day", "%(count)s days", count) % words
    if code in PLAIN_FINDINGS or code.startswith("column-"):
        return words["count"]
    return ngettext("%(count)s row", "%(count)s rows", count) % words


def series_count_text(finding: Finding) -> str:
    """In how many series or stores days are missing; empty for other findings."""
    effect = finding.get("effect") or {}
    if effect.get("kind") != "gap":
        return ""
    count = effect["series"]
    words = {"count": format_whole_number(count)}
    if finding["code"] == "store-gap":
        return ngettext("in %(count)s store", "in %(count)s stores", count) % words
    return ngettext("in %(count)s series", "in %(count)s series", count) % words


def effect_text(finding: Finding) -> str:
    """What the action does to rows and units; empty where it changes neither."""
    effect = finding.get("effect") or {}
    if not effect:
        return ""
    if effect["kind"] == "gap":
        return _("The total is unchanged.")
    share = effect["share"]
    words = {"rows": format_whole_number(effect["rows"]), "of": format_whole_number(effect["of"])}
    words["share"] = "" if share is None else share_text(share)
    if effect["kind"] == "merged":
        return merged_text(effect["rows"], share, words)
    if effect["kind"] == "cleared":
        return _("clears %(rows)s of %(of)s cells, %(share)s of units") % words
    if share is None:
        return _("leaves out %(rows)s of %(of)s rows") % words
    return _("leaves out %(rows)s of %(of)s rows, %(share)s of units") % words


def merged_text(rows: int, share: float | None, words: dict[str, str]) -> str:
    """What becomes of rows of the same day, store and product."""
    fewer = ngettext("%(rows)s row fewer", "%(rows)s rows fewer", rows) % words
    if not share:
        return _("%(fewer)s, the total is unchanged") % {"fewer": fewer}
    words = {"fewer": fewer, "share": share_text(abs(share))}
    text = (
        _("%(fewer)s, the total falls by %(share)s")
        if share > 0
        else _("%(fewer)s, the total rises by %(share)s")
    )
    return text % words


def share_text(share: float) -> str:
    """A share of the units; one that would be rounded to nothing says so.

    >>> share_text(0.0123), share_text(0.00001), share_text(0.0)
    ('1.2%', 'less than 0.1%', '0.0%')
    """
    if 0 < abs(share) < SMALLEST_SHARE:
        return _("less than %(share)s") % {"share": format_percent(SMALLEST_SHARE)}
    return format_percent(share)


def span_text(series: dict[str, Any]) -> str:
    """The days to look at."""
    first, last = format_day(series["from"]), format_day(series["to"])
    return first if first == last else f"{first} – {last}"


def spot_box(series: dict[str, Any]) -> dict[str, str] | None:
    """Left edge and width of the marked days in a picture 100 wide; None without a mark.

    >>> spot_box({"line": [0.0] * 11, "spot": [5, 5]})
    {'x': '49.0', 'width': '2.0'}
    """
    if "spot" not in series:
        return None
    step = WIDTH / max(1, len(series["line"]) - 1)
    begin, end = (place * step for place in series["spot"])
    return {"x": f"{max(0.0, begin - 1):.1f}", "width": f"{end - begin + 2:.1f}"}
