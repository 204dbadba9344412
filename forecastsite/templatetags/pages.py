"""How numbers, scopes and steps are worded on every page: one rounding, one unit, plain words."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.explain import HEADINGS, Measure
from registry.importing.problems import ACTIONS, TITLES
from registry.models import DatasetVersion
from registry.names import Names, beside, names_of
from registry.rights import Person
from registry.said import said as in_words
from registry.scope import Scope
from registry.tombstones import rule_text

register = template.Library()

DASH = "–"
TIPS = count()
SECTIONS = {
    "dataset": "data",
    "upload": "data",
    "catalogue": "data",
    "run": "train",
    "queue": "train",
    "model": "models",
}


@register.simple_tag(takes_context=True)
def section(context: RequestContext) -> str:
    """The entry of the navigation that this page belongs to."""
    match = context["request"].resolver_match if "request" in context else None
    name = (match.url_name or "").split("-")[0] if match else ""
    return SECTIONS.get(name, name)


register.filter(rule_text)


@register.filter
def units(value: float | None) -> str:
    """Whole units with separators; small numbers keep one decimal so that slow movers are not all 0.

    >>> units(3049.4), units(0.26), units(0.04), units(None)
    ('3,049', '0.3', '0', '–')
    """
    if value is None:
        return DASH
    digits = 0 if abs(value) >= 10 or abs(value) < 0.05 else 1
    return number_format(round(value, digits), digits, force_grouping=True)


@register.filter
def may_delete(row: Any, user: Person) -> bool:
    """Whether the page offers it."""
    return bool(row.may_delete(user))


@register.filter
def whole(value: int | None) -> str:
    """A count with separators."""
    return DASH if value is None else number_format(round(value), 0, force_grouping=True)


@register.filter
def percent(value: float | None, digits: int = 1) -> str:
    """A share as per cent.

    >>> percent(0.1423), percent(0.8, 0), percent(None)
    ('14.2%', '80%', '–')
    """
    return DASH if value is None else f"{number_format(round(value * 100, digits), digits)}%"


@register.filter
def decimal(value: float | None, digits: int = 3) -> str:
    """A number without unit, rounded; large ones to one decimal.

    >>> decimal(0.7604), decimal(103.067), decimal(None)
    ('0.760', '103.1', '–')
    """
    if value is None:
        return DASH
    digits = 1 if abs(value) >= 10 else digits
    return number_format(round(value, digits), digits)


@register.filter
def lean(bias: float | None) -> str:
    """Bias in words: plus means the forecasts were too high."""
    if bias is None:
        return DASH
    if abs(bias) < 0.005:
        return _("even")
    size = percent(abs(bias))
    return _("high by %(size)s") % {"size": size} if bias > 0 else _("low by %(size)s") % {"size": size}


@register.filter
def change(value: float | None) -> str:
    """A relative change in words, so that nobody has to guess what a bare per cent means."""
    if value is None:
        return ""
    if abs(value) < 0.005:
        return _("about as much")
    size = percent(abs(value), 0)
    return _("%(size)s more") % {"size": size} if value > 0 else _("%(size)s less") % {"size": size}


@register.filter
def gain(metrics: dict[str, Any]) -> float | None:
    """How much smaller the error is than that of repeating last week; None when it was not measured."""
    naive = (metrics.get("seasonal_naive") or {}).get("wape")
    error = metrics.get("wape")
    return None if not naive or error is None else 1 - error / naive


@register.filter
def coverage(metrics: dict[str, Any], level: str) -> float | None:
    """Share of days inside the range of that level."""
    share: float | None = (metrics.get("coverage") or {}).get(level)
    return share


@register.filter
def scope_text(scope: Scope, names: Names | None = None) -> str:
    """A scope in words, with the name of its store or product where `names` has it."""
    names = names or Names()
    words = {
        "global": _("everything"),
        "store": _("store %(code)s") % {"code": names.store(scope.code)},
        "product": _("product %(code)s") % {"code": names.product(scope.code)},
    }
    return words[scope.kind]


@register.filter
def named(code: str, name: str) -> str:
    """A code with its name beside it, when it has one.

    >>> named("P001", "Aspirin"), named("P001", "")
    ('P001 Aspirin', 'P001')
    """
    return beside(code, {code: name})


@register.simple_tag
def names(version: DatasetVersion | None) -> Names:
    """What the codes of a dataset's version are called."""
    return names_of(version) if version else Names()


@register.filter
def fixed(value: float, digits: int = 0) -> str:
    """A number with exactly so many decimals and separators: for columns that add up."""
    return number_format(value, digits, force_grouping=True)


@register.filter
def what(forecast: Any) -> str:
    """What was forecast: product, store, both, or the version's scope in words."""
    if forecast.store or forecast.product:
        return names_of(forecast.dataset_version).label(forecast.store, forecast.product)
    return scope_text(forecast.version.model.scope, names_of(forecast.dataset_version))


@register.filter
def method(name: str) -> str:
    """An algorithm's label; its name when its file is gone."""
    from registry import algorithms

    return _(dict(algorithms.choices()).get(name, name))


@register.filter
def told(line: Any) -> str:
    """A log line in the reader's language, with its values in their places."""
    values = {name: worded(name, value) for name, value in line.data.items()}
    return _(line.text).format(**values) if line.kind == "log" and values else in_words(line.text)


def worded(name: str, value: Any) -> Any:
    """A value of a log line: a method by its label, a text in the reader's language."""
    if name == "method":
        return method(value)
    return _(value) if isinstance(value, str) and value else value


@register.filter
def said(text: str) -> str:
    """A saved English sentence in the reader's language."""
    return in_words(text)


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds in words a person would use."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return ngettext("%(n)s second", "%(n)s seconds", rest) % {"n": rest}
    if not rest:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


@register.filter
def than_last_year(value: float | None) -> str:
    """The same change as the end of a sentence; empty when last year is not known."""
    if value is None:
        return ""
    if abs(value) < 0.005:
        return _("about as much as on the same days last year")
    size = percent(abs(value), 0)
    if value > 0:
        return _("%(size)s more than on the same days last year") % {"size": size}
    return _("%(size)s less than on the same days last year") % {"size": size}


@register.filter
def day(text: str | None) -> str:
    """An ISO day the way this language writes days."""
    return date_format(date.fromisoformat(text[:10])) if text else DASH


@register.filter
def unlocal(value: float | None) -> str:
    """A number for a machine: point as decimal mark, empty for none."""
    return "" if value is None else repr(value)


@register.filter
def finding_title(code: str) -> str:
    """What a finding is called."""
    return _(TITLES[code]) if code in TITLES else code


@register.filter
def action_text(action: str) -> str:
    """What was done about a finding."""
    return _(ACTIONS[action]) if action in ACTIONS else action


@register.simple_tag
def spark(weeks: list[float]) -> str:
    """Points of a line in a box of 100 x 24.

    >>> spark([0, 5, 10])
    '0.0,23.0 50.0,12.0 100.0,1.0'
    """
    top = max([*weeks, 0]) or 1
    step = 100 / max(1, len(weeks) - 1)
    points = ((step * place, 23 - 22 * max(0, week) / top) for place, week in enumerate(weeks))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


@register.filter
def at(table: dict[str, Any], key: str) -> Any:
    """A value of a dict whose key no template syntax can name ("q0.1")."""
    return table.get(key)


@register.simple_tag
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


@register.simple_tag
def measure(key: str) -> Measure:
    """What a number of a test is called and says, for headings with an explanation."""
    return HEADINGS[key]


@register.simple_tag
def tip(measure: Measure) -> str:
    """An id for the explanation: the same measure may be explained twice on a page, ids may not."""
    return f"tip-{measure.key.replace('.', '-')}-{next(TIPS)}"
