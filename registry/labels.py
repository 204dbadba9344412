"""Labels and phrases that pages share: scopes, algorithms, columns, findings and training steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.apps import apps
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from registry.datasets.importing.findings import ACTION_LABELS, DONE_LABELS, FINDING_TITLES
from registry.datasets.levels import describe_selection
from registry.datasets.names import ItemNames, code_with_name, load_names
from registry.datasets.scope import Scope
from registry.lib.formatting import (
    bias_text,
    format_decimal,
    format_duration,
    format_moment,
    format_percent,
    format_whole_number,
    gain_text,
    join_names,
)
from registry.lib.messages import translate_message

COLUMN_LABELS = {
    "date": gettext_noop("Date"),
    "store_id": gettext_noop("Store"),
    "product_id": gettext_noop("Product"),
    "sales": gettext_noop("Units sold"),
    "price": gettext_noop("Price"),
    "promo": gettext_noop("Promotion"),
}
COVARIATE_ROLE_LABELS = {
    "known": gettext_noop("known ahead"),
    "past": gettext_noop("known for the past only"),
    "static": gettext_noop("fixed per store or product"),
    "name": gettext_noop("name of the product or store"),
}
DATE_ORDER_LABELS = {
    "dmy": gettext_noop("day, month, year"),
    "mdy": gettext_noop("month, day, year"),
    "ymd": gettext_noop("year, month, day"),
    "serial": gettext_noop("Excel day numbers"),
}
LAYOUT_LABELS = {
    "long": gettext_noop("a row for each sale record"),
    "wide-days": gettext_noop("a column for each day"),
    "wide-products": gettext_noop("a column for each product"),
}
SIDE_LABELS = {"stores": gettext_noop("Store"), "products": gettext_noop("Product")}
COUNTED = ("rows", "series", "days")  # values of log lines that are counts
SHOWN_EXAMPLES = 3  # of each finding
METRIC_FORMATS: dict[str, Callable[[float | None], str]] = {
    "share": format_percent,
    "lean": bias_text,
    "gain": gain_text,
}


def skill_score(metrics: dict[str, Any]) -> float | None:
    """Relative error reduction against repeating last week; None if not measured."""
    naive = (metrics.get("seasonal_naive") or {}).get("wape")
    error = metrics.get("wape")
    return None if not naive or error is None else 1 - error / naive


def interval_coverage(metrics: dict[str, Any], level: str) -> float | None:
    """Share of days inside the prediction interval of that level, such as "80"."""
    share: float | None = (metrics.get("coverage") or {}).get(level)
    return share


def scope_text(scope: Scope, names: ItemNames | None = None) -> str:
    """A scope in words, with the name of its store or product if `names` has it."""
    names = names or ItemNames()
    words = {
        "global": _("all products, all stores"),
        "store": _("store %(code)s") % {"code": names.format_store(scope.code)},
        "product": _("product %(code)s") % {"code": names.format_product(scope.code)},
    }
    return words[scope.kind]


def version_title(version: Any) -> str:
    """A model version as pages name it, with what it covers: "KAN v2 · all products, all stores"."""
    return f"{version.title} · {scope_text(version.model.scope)}"


def with_name(code: str, name: str) -> str:
    """A code, followed by its name if it has one.

    >>> with_name("P001", "Aspirin"), with_name("P001", "")
    ('P001 Aspirin', 'P001')
    """
    return code_with_name(code, {code: name})


def forecast_label(forecast: Any) -> str:
    """What a forecast covers: product, groups, store, or its version's scope in words."""
    names = load_names(forecast.dataset_version)
    return describe_selection(forecast.selection, names) or scope_text(forecast.version.model.scope, names)


def forecast_title(forecast: Any) -> str:
    """What a forecast covers as product · store: "P001 Aspirin · all stores", "All products, all stores".

    Of groups their names alone: "Brand: Bayer", "Brand: Bayer · S01".
    """
    covered, names = forecast.coverage, load_names(forecast.dataset_version)
    if covered.is_whole:
        return _("All products, all stores")
    if covered.levels:
        return describe_selection(covered, names)
    what = names.format_product(covered.product) if covered.product else _("All products")
    where = names.format_store(covered.store) if covered.store else _("all stores")
    return f"{what} · {where}"


def algorithm_label(name: str) -> str:
    """An algorithm's translated label; its name if its file no longer exists."""
    from registry import algorithms

    return _(dict(algorithms.list_choices()).get(name, name))


def run_title(run: Any) -> str:
    """A training as lists name it: method, dataset, a scope that is not all, error and when it ended.

    Such as "KAN · Pasta · 58.2% · 14:05"; the last two only once there are any.
    """
    parts = [algorithm_label(run.algorithm), str(run.dataset_version.dataset)]
    if run.code:
        parts.append(scope_text(run.scope))
    if run.version and run.version.wape is not None:
        parts.append(format_percent(run.version.wape))
    if run.finished_at:
        parts.append(format_moment(run.finished_at))
    return " · ".join(parts)


def join_methods(names: Iterable[str]) -> str:
    """The labels of methods, in a row."""
    return join_names(algorithm_label(name) for name in names)


def describe_skipped(trials: dict[str, Any]) -> str:
    """The methods that time did not allow, and how much would; empty if all were tried."""
    if not trials or not trials.get("skipped"):
        return ""
    values = {"methods": join_methods(trials["skipped"]), "time": format_duration(trials["enough"])}
    return _("Not tried for lack of time: %(methods)s. Give it %(time)s to try all methods.") % values


def describe_choice(choice: dict[str, Any]) -> str:
    """Why a blend or a single method forecasts, with the errors of both; empty if nothing was chosen yet."""
    if not choice or choice.get("error") is None or choice.get("blend_error") is None:
        return ""
    single, blend = choice["error"], choice["blend_error"]
    values = {
        "method": algorithm_label(choice["method"]),
        "single": format_percent(single),
        "blend": format_percent(blend),
    }
    if choice["is_blend"]:
        return (
            _(
                "On the held-back days the blend has an error of %(blend)s; "
                "the best single method, %(method)s, has %(single)s. The blend is used."
            )
            % values
        )
    if blend < single:
        return (
            _(
                "On the held-back days a blend has an error of %(blend)s and %(method)s %(single)s, "
                "but the ranges of the blend fit worse. %(method)s is used alone."
            )
            % values
        )
    return (
        _(
            "On the held-back days %(method)s has an error of %(single)s and the best blend %(blend)s. "
            "%(method)s is used alone."
        )
        % values
    )


def event_text(line: Any) -> str:
    """A log line, translated and with its values filled in."""
    values = {name: translate_value(name, value) for name, value in line.data.items() if name != "state"}
    return translate_message(line.text, values)


def translate_value(name: str, value: Any) -> Any:
    """A value of a log line: the label of a method, or a translated text."""
    if name == "method":
        return algorithm_label(value)
    if name in COUNTED and isinstance(value, int):
        return format_whole_number(value)
    return _(value) if isinstance(value, str) and value else value


def finding_title(code: str) -> str:
    """The title of a finding."""
    return _(FINDING_TITLES[code]) if code in FINDING_TITLES else code


def action_text(action: str) -> str:
    """What can be done about a finding."""
    return _(ACTION_LABELS[action]) if action in ACTION_LABELS else action


def done_text(action: str) -> str:
    """What was done about a finding."""
    return _(DONE_LABELS[action]) if action in DONE_LABELS else action_text(action)


def column_label(name: str) -> str:
    """A column of the canonical sales by its label; any other by its own name."""
    return _(COLUMN_LABELS[name]) if name in COLUMN_LABELS else name


def covariate_role_label(role: str) -> str:
    """When the values of an extra column are known."""
    return _(COVARIATE_ROLE_LABELS.get(role, COVARIATE_ROLE_LABELS["static"]))


def date_order_label(order: str) -> str:
    """How a file writes its days."""
    return _(DATE_ORDER_LABELS.get(order, DATE_ORDER_LABELS["ymd"]))


def layout_label(layout: str) -> str:
    """Whether a file holds a row or a column for each value."""
    return _(LAYOUT_LABELS.get(layout, LAYOUT_LABELS["long"]))


def side_label(side: str) -> str:
    """The heading of a column of stores or products."""
    return _(SIDE_LABELS[side])


def examples_text(examples: list[dict[str, Any]]) -> str:
    """The first faulty places of a finding, each with its row, column and value as far as they are known."""
    return _("; ").join(example_text(example) for example in examples[:SHOWN_EXAMPLES])


def example_text(example: dict[str, Any]) -> str:
    place = {**example, "value": Truncator(example["value"]).chars(60)}
    if example["row"] and example["column"]:
        return _("row %(row)s, %(column)s: “%(value)s”") % place
    if example["row"]:
        return _("row %(row)s: “%(value)s”") % place
    return f"{example['column']} {example['value']}"


def metric_value(value: float | None, kind: str) -> str:
    """A test result in the format of its kind of metric."""
    return METRIC_FORMATS.get(kind, format_decimal)(value)


def training_steps(run: Any) -> list[dict[str, str]]:
    """The steps of a training with their states: `past`, `now` or `next`."""
    words = {
        "prepare": _("Prepare"),
        "learn": _("Learn"),
        "test": _("Test on holdout days"),
        "refit": _("Learn from all days"),
        "save": _("Save"),
    }
    names = list(words)
    here = len(names) if run.state == "done" else names.index(run.step) if run.step in names else -1
    states = ["past" if i < here else "now" if i == here else "next" for i in range(len(names))]
    return [{"word": words[name], "state": state} for name, state in zip(names, states, strict=True)]


def table_label(name: str) -> str:
    """What rows of a table are called: `trainingrun` and `training_run` are a "Training run"."""
    plain = name.replace("_", "")
    found = next((model for model in apps.get_models() if model._meta.model_name == plain), None)
    return capfirst(str(found._meta.verbose_name)) if found else name or "—"
