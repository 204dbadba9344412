"""Method trials: what the automatic choice of a method tried and decided, as sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from registry.labels import algorithm_label
from registry.lib.formatting import format_duration, format_percent


def join_methods(names: Iterable[str]) -> str:
    """The labels of methods, in a row."""
    return _(", ").join(algorithm_label(name) for name in names)


def describe_skipped(trials: dict[str, Any]) -> str:
    """The methods that time did not allow, and how much would; empty if all were tried."""
    if not trials.get("skipped"):
        return ""
    values = {"methods": join_methods(trials["skipped"]), "time": format_duration(trials["enough"])}
    return _("Not tried for lack of time: %(methods)s. Give it %(time)s to try all methods.") % values


def describe_choice(choice: dict[str, Any]) -> str:
    """Why a blend or a single method forecasts, with the errors of both; empty if nothing was chosen yet."""
    single, blend = choice.get("error"), choice.get("blend_error")
    if not choice.get("method") or single is None or blend is None:
        return ""
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
