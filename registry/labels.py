"""How numbers, scopes and steps are worded on every page: one rounding, one unit, plain words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.importing.findings import ACTION_LABELS, FINDING_TITLES
from registry.datasets.names import ItemNames, code_with_name, load_names
from registry.datasets.scope import Scope
from registry.lib.messages import translate_message as in_words


def skill_score(metrics: dict[str, Any]) -> float | None:
    """How much smaller the error is than that of repeating last week; None when it was not measured."""
    naive = (metrics.get("seasonal_naive") or {}).get("wape")
    error = metrics.get("wape")
    return None if not naive or error is None else 1 - error / naive


def interval_coverage(metrics: dict[str, Any], level: str) -> float | None:
    """Share of days inside the range of that level."""
    share: float | None = (metrics.get("coverage") or {}).get(level)
    return share


def scope_text(scope: Scope, names: ItemNames | None = None) -> str:
    """A scope in words, with the name of its store or product where `names` has it."""
    names = names or ItemNames()
    words = {
        "global": _("everything"),
        "store": _("store %(code)s") % {"code": names.format_store(scope.code)},
        "product": _("product %(code)s") % {"code": names.format_product(scope.code)},
    }
    return words[scope.kind]


def with_name(code: str, name: str) -> str:
    """A code with its name beside it, when it has one.

    >>> with_name("P001", "Aspirin"), with_name("P001", "")
    ('P001 Aspirin', 'P001')
    """
    return code_with_name(code, {code: name})


def forecast_label(forecast: Any) -> str:
    """What was forecast: product, store, both, or the version's scope in words."""
    if forecast.store or forecast.product:
        return load_names(forecast.dataset_version).format_series(forecast.store, forecast.product)
    return scope_text(forecast.version.model.scope, load_names(forecast.dataset_version))


def algorithm_label(name: str) -> str:
    """An algorithm's label; its name when its file is gone."""
    from registry import algorithms

    return _(dict(algorithms.list_choices()).get(name, name))


def event_text(line: Any) -> str:
    """A log line in the reader's language, with its values in their places."""
    values = {name: translate_value(name, value) for name, value in line.data.items()}
    return _(line.text).format(**values) if line.kind == "log" and values else in_words(line.text)


def translate_value(name: str, value: Any) -> Any:
    """A value of a log line: a method by its label, a text in the reader's language."""
    if name == "method":
        return algorithm_label(value)
    return _(value) if isinstance(value, str) and value else value


def message_text(text: str) -> str:
    """A saved English sentence in the reader's language."""
    return in_words(text)


def finding_title(code: str) -> str:
    """What a finding is called."""
    return _(FINDING_TITLES[code]) if code in FINDING_TITLES else code


def action_text(action: str) -> str:
    """What was done about a finding."""
    return _(ACTION_LABELS[action]) if action in ACTION_LABELS else action


def training_steps(run: Any) -> list[dict[str, str]]:
    """The steps of a training, each `past`, `now` or `next`."""
    words = {
        "prepare": _("Prepare"),
        "learn": _("Learn"),
        "test": _("Test on held-back days"),
        "refit": _("Learn from all days"),
        "save": _("Save"),
    }
    names = list(words)
    here = len(names) if run.state == "done" else names.index(run.step) if run.step in names else -1
    states = ["past" if i < here else "now" if i == here else "next" for i in range(len(names))]
    return [{"word": words[name], "state": state} for name, state in zip(names, states, strict=True)]
