"""What the page of a back-test shows: a verdict, tables, and the points of the curve."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prediction.order_backtests.models import OrderBacktest
from prediction.orders.backtest import FORESIGHT, OURS, OWN
from registry.datasets.names import load_names
from registry.lib.formatting import format_decimal, format_percent, format_whole_number

RULE_TITLES = {
    OURS: gettext_lazy("our policy"),
    OWN: gettext_lazy("your rule"),
    "weeks": gettext_lazy("what the last four weeks sold"),
    "normal": gettext_lazy("average and z·σ·√L (95%)"),
    FORESIGHT: gettext_lazy("as if sales were known"),
}
MAX_STORES = 50


def show_result(test: OrderBacktest) -> dict[str, Any]:
    """The context of a done back-test."""
    result: dict[str, Any] = test.result or {}
    names = load_names(test.dataset_version)
    return {
        "rules": [(RULE_TITLES[name], figures) for name, figures in result["rules"].items()],
        "verdict": describe_verdict(result),
        "matched": describe_matched(result),
        "chart": result["curve"],
        "curve_rows": list_curve(result["curve"]),
        "classes": list(result["classes"].items()),
        "stores": [
            (names.format_store(code), one) for code, one in list(result["stores"].items())[:MAX_STORES]
        ],
        "is_sample": result["series"] < result["of_series"],
    }


def describe_verdict(result: dict[str, Any]) -> str:
    """What both would have led to, in one sentence."""
    ours, own = result["rules"][OURS], result["rules"][OWN]
    return _(
        "Your rule would have sold %(own_fill)s of the demand from stock with %(own_days)s days of stock, "
        "our policy %(fill)s with %(days)s days: %(lost)s instead of %(own_lost)s units lost."
    ) % {
        "own_fill": format_percent(own["fill_rate"]),
        "own_days": format_decimal(own["stock_days"], 1),
        "fill": format_percent(ours["fill_rate"]),
        "days": format_decimal(ours["stock_days"], 1),
        "lost": format_whole_number(ours["lost_units"]),
        "own_lost": format_whole_number(own["lost_units"]),
    }


def describe_matched(result: dict[str, Any]) -> str:
    """Days without stock beside days of cover that keep as much stock."""
    ours, matched = result["rules"][OURS], result["matched"]
    return _(
        "With as much stock as our policy keeps, %(cover)s days of cover would have left %(theirs)s of the "
        "days without stock, ours %(ours)s."
    ) % {
        "cover": format_decimal(matched["days"], 1),
        "theirs": format_percent(matched["empty_days"], 2),
        "ours": format_percent(ours["empty_days"], 2),
    }


def list_curve(curve: dict[str, list[list[float]]]) -> list[dict[str, Any]]:
    """The points of the chart as a table."""
    titles = {**RULE_TITLES, "cover": gettext_lazy("days of cover")}
    return [
        {"rule": titles[name], "days": days, "fill": fill}
        for name, points in curve.items()
        for days, fill in points
    ]
