"""How far a forecast can be trusted: what speaks against it, worst first, then what its tests missed by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prediction.accuracy.so_far import measure_actuals
from prediction.content import ForecastContent, MovedPart
from prediction.level import measure_content
from prediction.models import Forecast
from registry.labels import column_label, with_name
from registry.lib.formatting import format_percent, format_units, join_names
from registry.model_versions.metric_labels import missing_error_reason
from registry.model_versions.models import ModelVersion
from registry.model_versions.staleness import count_newer_days

SEVERITIES = ("bad", "warn", "good")
FEW_UNITS = 1.0  # a day, below which single days say little
FAIR_MISS = 0.1  # of a total in a test, up to which the test speaks for the forecast
SHOWN_PARTS = 3  # products or stores named in a sentence
UPLOAD_PERMISSION = "registry.add_datasetversion"


@dataclass(frozen=True)
class TrustFinding:
    """One sentence; `retrain`: the version to train again, `permission`: needed for the link."""

    severity: str
    code: str
    sentence: str
    link_text: str = ""
    address: str = ""
    permission: str = ""
    retrain: ModelVersion | None = None


def list_trust_findings(forecast: Forecast, content: ForecastContent) -> list[TrustFinding]:
    """Worst first: bad, then warn, then good; in each the order below."""
    found = [
        *find_level_move(forecast, content),
        *find_off_target(forecast),
        *find_untested_days(forecast, content),
        *find_old_data(forecast),
        *find_missing_plan(forecast, content),
        *find_novelty(content),
        *find_assumed_ranges(forecast, content),
        *find_few_sales(content),
        *describe_tests(forecast, content),
        *describe_ranges(content),
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def find_level_move(forecast: Forecast, content: ForecastContent) -> Iterator[TrustFinding]:
    """Sales have moved away from what the forecast expects, as a whole or in parts."""
    version, moved = forecast.version, measure_content(content)
    is_stale = count_newer_days(version) > 0
    retrain = version if is_stale else None
    if moved:
        words = {"days": moved.days, "size": format_percent(abs(moved.change), 0)}
        if moved.change > 0:
            text = _("The last %(days)s days sold %(size)s more than this forecast expects.") % words
        else:
            text = _("The last %(days)s days sold %(size)s less than this forecast expects.") % words
        parts = _("Moved most: %(parts)s.") % {"parts": name_parts(content.moved)} if content.moved else ""
        yield TrustFinding("bad", "level", join(text, explain_move(is_stale), parts), retrain=retrain)
    elif content.moved:
        text = count_parts(content.moved)
        yield TrustFinding("warn", "level", join(text, explain_move(is_stale)), retrain=retrain)


def explain_move(is_stale: bool) -> str:
    """Whether the model could know better."""
    if is_stale:
        return _("The model has not learned from these days.")
    return _("The model has learned these days, but does not follow them yet.")


def count_parts(moved: list[MovedPart]) -> str:
    """How many parts moved, and which most."""
    if moved[0].side == "stores":
        text = ngettext(
            "%(count)s store sells clearly more or less than this forecast expects: %(parts)s.",
            "%(count)s stores sell clearly more or less than this forecast expects: %(parts)s.",
            len(moved),
        )
    else:
        text = ngettext(
            "%(count)s product sells clearly more or less than this forecast expects: %(parts)s.",
            "%(count)s products sell clearly more or less than this forecast expects: %(parts)s.",
            len(moved),
        )
    more = " …" if len(moved) > SHOWN_PARTS else ""
    return text % {"count": len(moved), "parts": name_parts(moved) + more}


def name_parts(moved: list[MovedPart]) -> str:
    """The parts that moved most: P001 Paracetamol (96% more)."""
    return join_names(describe_part(part) for part in moved[:SHOWN_PARTS])


def describe_part(part: MovedPart) -> str:
    """A part and how far it moved."""
    words = {"name": with_name(part.code, part.name), "size": format_percent(abs(part.change), 0)}
    return (_("%(name)s (%(size)s more)") if part.change > 0 else _("%(name)s (%(size)s less)")) % words


def find_off_target(forecast: Forecast) -> Iterator[TrustFinding]:
    """What was sold since is outside the range."""
    since = measure_actuals(forecast, forecast.version.model.dataset.current_version)
    if since is None or not since.is_off_target or since.relative_change is None:
        return
    words = {"days": since.days, "size": format_percent(abs(since.relative_change), 0)}
    if since.relative_change > 0:
        text = _("Off target: its first %(days)s days sold %(size)s more than forecast.")
    else:
        text = _("Off target: its first %(days)s days sold %(size)s less than forecast.")
    yield TrustFinding("bad", "off_target", text % words)


def find_untested_days(forecast: Forecast, content: ForecastContent) -> Iterator[TrustFinding]:
    """Days beyond those that the model was tested on."""
    tested = forecast.version.horizon
    if forecast.horizon <= tested:
        return
    first = date.fromisoformat(content.forecast[tested].date)
    text = _(
        "From %(day)s on, this forecast is beyond the %(tested)s days this model was tested on. "
        "The range is wider there, and no test backs it."
    )
    yield TrustFinding("warn", "untested", text % {"day": date_format(first), "tested": tested})


def find_old_data(forecast: Forecast) -> Iterator[TrustFinding]:
    """Newer sales are known, or the known ones are so old that half of the days are over."""
    current, today = forecast.version.model.dataset.current_version, timezone.localdate()
    if current and current.last > forecast.origin:
        text = _("Newer sales are known, up to %(day)s.") % {"day": date_format(current.last)}
        yield TrustFinding("warn", "old_data", text)
        return
    age = (today - forecast.origin).days
    if age <= forecast.horizon / 2:
        return
    words = {"day": date_format(forecast.origin), "days": forecast.horizon, "past": age}
    if age <= forecast.horizon:
        text = _("Sales are known up to %(day)s only: %(past)s of these %(days)s days are over.")
    else:
        text = _("Sales are known up to %(day)s only: all of these days are over.")
    yield TrustFinding(
        "warn", "old_data", text % words, _("Add newer days"), upload_address(forecast), UPLOAD_PERMISSION
    )


def find_missing_plan(forecast: Forecast, content: ForecastContent) -> Iterator[TrustFinding]:
    """Columns known ahead, such as promotion and price, without values for all of the days."""
    if not content.missing_plan:
        return
    columns = join_names(describe_assumption(item) for item in content.missing_plan)
    text = _("No plan for all of these days: %(columns)s.") % {"columns": columns}
    yield TrustFinding(
        "warn", "no_plan", text, _("Add the plan"), upload_address(forecast), UPLOAD_PERMISSION
    )


def describe_assumption(item: dict[str, str]) -> str:
    """A column and what is assumed of it."""
    words = {"column": column_label(item["column"]), "value": assumed_value(item["default"])}
    return _("%(column)s (assumed: %(value)s)") % words


def assumed_value(default: str) -> str:
    """What registry.series.covariates assumes of a column, in words."""
    words = {
        "0": _("none"),
        "last known": _("as last known"),
        "average": _("average"),
        "weekday habit": _("as on the newest weeks"),
        "": _("empty"),
    }
    return words.get(default, default)


def find_novelty(content: ForecastContent) -> Iterator[TrustFinding]:
    """Nothing or hardly anything was sold so far."""
    if content.new_days is None:
        return
    if content.new_days == 0:
        text = _("New, without sales so far: forecast from similar products, hence the wide range.")
    else:
        text = ngettext(
            "New, on sale for %(days)s day: forecast mostly from similar products, hence the wide range.",
            "New, on sale for %(days)s days: forecast mostly from similar products, hence the wide range.",
            content.new_days,
        ) % {"days": content.new_days}
    yield TrustFinding("warn", "new", text)


def find_few_sales(content: ForecastContent) -> Iterator[TrustFinding]:
    """So few units that a single day says little."""
    daily = content.analysis.total / len(content.forecast)
    if daily < FEW_UNITS:
        words = {"units": format_units(7 * daily)}
        text = _("Few sales, about %(units)s units a week: go by the total, not by single days.")
        yield TrustFinding("warn", "few_sales", text % words)


def describe_tests(forecast: Forecast, content: ForecastContent) -> Iterator[TrustFinding]:
    """What the tests missed the total by."""
    version = forecast.version
    is_whole = forecast.selection.is_whole
    misses = [abs(miss) for miss in (window_misses(version.metrics) if is_whole else last_test_miss(content))]
    if not misses:
        if reason := missing_error_reason(version.metrics):
            yield TrustFinding("warn", "no_test", join(_("Not tested."), reason))
        return
    words = {
        "windows": len(misses),
        "days": version.horizon,
        "sizes": format_range(min(misses), max(misses)),
    }
    if len(misses) > 1:
        text = _("Tested: on the last %(windows)s × %(days)s days the total missed by %(sizes)s.")
    else:
        text = _("Tested: on the last %(days)s days the total missed by %(sizes)s.")
    yield TrustFinding("good" if max(misses) <= FAIR_MISS else "warn", "tests", text % words)


def find_assumed_ranges(forecast: Forecast, content: ForecastContent) -> Iterator[TrustFinding]:
    """The model is of a release that did not measure how errors add up."""
    if content.range_windows == 0:
        text = _(
            "This model was trained by a release that did not check the range of totals: it is wider than "
            "needed. Train it again."
        )
        yield TrustFinding("warn", "assumed_ranges", text, retrain=forecast.version)


def describe_ranges(content: ForecastContent) -> Iterator[TrustFinding]:
    """How much the range of a sum stands on."""
    if not content.range_windows:
        return
    words = {"windows": content.range_windows, "days": content.range_days}
    text = ngettext(
        "The likely range was checked on %(windows)s period of %(days)s days.",
        "The likely range was checked on %(windows)s periods of %(days)s days.",
        content.range_windows,
    )
    yield TrustFinding("good", "ranges", text % words)


def window_misses(metrics: dict[str, Any]) -> list[float]:
    """By how much each test missed the total of the version's scope, as a share."""
    return [window["bias"] for window in metrics.get("windows") or [] if window.get("bias") is not None]


def last_test_miss(content: ForecastContent) -> list[float]:
    """By how much the last test missed the total of what is forecast; empty if that is unknown."""
    sold = {day.date: day.sales for day in content.history if day.sales is not None}
    pairs = [(day.mean, sold[day.date]) for day in content.test if day.mean is not None and day.date in sold]
    units = sum(actual for _mean, actual in pairs)
    return [sum(mean for mean, _actual in pairs) / units - 1] if units else []


def format_range(low: float, high: float) -> str:
    """Two shares as one: 0–1.1%; one where they look alike."""
    first, last = format_percent(low), format_percent(high)
    return last if first == last else f"{first.removesuffix('%')}–{last}"


def upload_address(forecast: Forecast) -> str:
    """Where newer days or a plan are added."""
    return f"{reverse('upload')}?dataset={forecast.version.model.dataset_id}"


def join(*sentences: str) -> str:
    """The sentences that are not empty, one after the other; Chinese puts no space between them.

    >>> join("One.", "", "Two."), join("一。", "二。")
    ('One. Two.', '一。二。')
    """
    return " ".join(filter(None, sentences)).replace("。 ", "。")
