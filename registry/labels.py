"""How numbers, scopes and steps are worded on every page: one rounding, one unit, plain words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.importing.findings import ACTIONS, TITLES
from registry.datasets.names import Names, beside, names_of
from registry.datasets.scope import Scope
from registry.lib.messages import said as in_words


def gain(metrics: dict[str, Any]) -> float | None:
    """How much smaller the error is than that of repeating last week; None when it was not measured."""
    naive = (metrics.get("seasonal_naive") or {}).get("wape")
    error = metrics.get("wape")
    return None if not naive or error is None else 1 - error / naive


def coverage(metrics: dict[str, Any], level: str) -> float | None:
    """Share of days inside the range of that level."""
    share: float | None = (metrics.get("coverage") or {}).get(level)
    return share


def scope_text(scope: Scope, names: Names | None = None) -> str:
    """A scope in words, with the name of its store or product where `names` has it."""
    names = names or Names()
    words = {
        "global": _("everything"),
        "store": _("store %(code)s") % {"code": names.store(scope.code)},
        "product": _("product %(code)s") % {"code": names.product(scope.code)},
    }
    return words[scope.kind]


def named(code: str, name: str) -> str:
    """A code with its name beside it, when it has one.

    >>> named("P001", "Aspirin"), named("P001", "")
    ('P001 Aspirin', 'P001')
    """
    return beside(code, {code: name})


def what(forecast: Any) -> str:
    """What was forecast: product, store, both, or the version's scope in words."""
    if forecast.store or forecast.product:
        return names_of(forecast.dataset_version).label(forecast.store, forecast.product)
    return scope_text(forecast.version.model.scope, names_of(forecast.dataset_version))


def method(name: str) -> str:
    """An algorithm's label; its name when its file is gone."""
    from registry import algorithms

    return _(dict(algorithms.choices()).get(name, name))


def told(line: Any) -> str:
    """A log line in the reader's language, with its values in their places."""
    values = {name: worded(name, value) for name, value in line.data.items()}
    return _(line.text).format(**values) if line.kind == "log" and values else in_words(line.text)


def worded(name: str, value: Any) -> Any:
    """A value of a log line: a method by its label, a text in the reader's language."""
    if name == "method":
        return method(value)
    return _(value) if isinstance(value, str) and value else value


def said(text: str) -> str:
    """A saved English sentence in the reader's language."""
    return in_words(text)


def finding_title(code: str) -> str:
    """What a finding is called."""
    return _(TITLES[code]) if code in TITLES else code


def action_text(action: str) -> str:
    """What was done about a finding."""
    return _(ACTIONS[action]) if action in ACTIONS else action


def steps(run: Any) -> list[dict[str, str]]:
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
