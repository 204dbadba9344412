"""Words of the accuracy page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from prediction.accuracy.groups import SIZE_LIMITS, SIZES, STORES
from prediction.accuracy.honesty import RealisedShare
from prediction.accuracy.models import AccuracyAlert
from prediction.accuracy.reading import Group
from prediction.accuracy.scoring import LAGS
from registry.datasets.levels import level_label
from registry.datasets.models import Dataset
from registry.datasets.names import load_names
from registry.lib.formatting import format_decimal, format_percent, format_whole_number

Shares = Mapping[str, RealisedShare | None]


def lag_title(first: int) -> str:
    """The days ahead of a lag.

    >>> lag_title(1), lag_title(29)
    ('1–7', '29 and more')
    """
    later = [lag for lag in LAGS if lag > first]
    if not later:
        return _("%(days)s and more") % {"days": first}
    return f"{first}–{later[0] - 1}"


def group_title(column: str) -> str:
    """What a column of groups is called."""
    known = {STORES: _("Store"), SIZES: _("Units a day")}
    return known.get(column) or level_label(column)


def size_title(code: str) -> str:
    """The units a day of a size of sales.

    >>> size_title("0"), size_title("1"), size_title("3")
    ('below 0.1', '0.1 to 1', '10 and more')
    """
    place = int(code)
    limits = [format_decimal(limit, 1) if limit % 1 else format_whole_number(limit) for limit in SIZE_LIMITS]
    if place == 0:
        return _("below %(limit)s") % {"limit": limits[0]}
    if place == len(limits):
        return _("%(limit)s and more") % {"limit": limits[-1]}
    return _("%(low)s to %(high)s") % {"low": limits[place - 1], "high": limits[place]}


def name_group(dataset: Dataset, group: Group) -> str:
    """The group in words; empty for everything."""
    if group == Group():
        return ""
    value = group.value or _("not given")
    if group.column == SIZES and group.value in map(str, range(len(SIZE_LIMITS) + 1)):
        value = size_title(group.value)
    if group.column == STORES and dataset.current_version:
        value = load_names(dataset.current_version).format_store(group.value)
    return _("%(level)s: %(value)s") % {"level": group_title(group.column), "value": value}


def alert_sentence(alert: AccuracyAlert, dataset: Dataset) -> str:
    """What an alert says."""
    words = {
        "what": name_group(dataset, Group(alert.column, alert.value)) or _("All stores"),
        "size": format_percent(abs(alert.change), 0),
        "first": date_format(alert.first),
        "last": date_format(alert.last),
    }
    if alert.kind == AccuracyAlert.Kind.SKILL:
        text = _("%(what)s: errors were %(size)s larger than usual from %(first)s to %(last)s.")
    elif alert.change > 0:
        text = _("%(what)s: %(size)s more was sold against the forecast than usual, %(first)s to %(last)s.")
    else:
        text = _("%(what)s: %(size)s less was sold against the forecast than usual, %(first)s to %(last)s.")
    return text % words


def verdict_sentence(found: RealisedShare | None, by_size: Sequence[tuple[str, Shares]]) -> str:
    """One sentence on whether the 80% ranges of days hold what they promise; empty without any."""
    if found is None:
        return ""
    words = {"share": format_percent(found.share, 0), "count": format_whole_number(found.count)}
    if found.band is None:
        return _("80%% ranges held %(share)s of %(count)s days; too few weeks for a verdict.") % words
    low, high = found.band
    words |= {"low": format_percent(low, 0), "high": format_percent(high, 0)}
    if found.verdict == "kept":
        text = _("80%% ranges held %(share)s of %(count)s days (%(low)s to %(high)s by chance): as promised.")
        return text % words
    worst = find_worst(found.verdict, by_size)
    if found.verdict == "narrow":
        text = _("80%% ranges held %(share)s of %(count)s days (%(low)s to %(high)s by chance): too narrow.")
    else:
        text = _("80%% ranges held %(share)s of %(count)s days (%(low)s to %(high)s by chance): too wide.")
    more = _("Most so where %(size)s units are sold a day.") % {"size": worst} if worst else ""
    return " ".join(filter(None, [text % words, more]))


def find_worst(verdict: str, by_size: Sequence[tuple[str, Shares]]) -> str:
    """The size of sales that is farthest off in the same direction; empty without one."""
    sign = -1 if verdict == "narrow" else 1
    found = [
        (sign * (share.share - share.promised), title)
        for title, shares in by_size
        if (share := shares.get("80")) is not None and share.verdict == verdict
    ]
    return max(found)[1] if found else ""
