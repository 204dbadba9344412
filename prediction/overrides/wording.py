"""Words of overrides: what is changed, by how much, and in which state it is."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from prediction.overrides.models import Override
from registry.datasets.levels import describe_selection
from registry.datasets.models import Dataset
from registry.datasets.names import ItemNames, load_names
from registry.lib.formatting import format_signed_units, format_units


def name_series(override: Override, names: ItemNames) -> str:
    """The series with their names."""
    return describe_selection(override.selection, names) or _("All products, all stores")


def load_item_names(dataset: Dataset) -> ItemNames:
    """What the codes of a dataset are called now."""
    return load_names(dataset.current_version) if dataset.current_version else ItemNames()


def describe_days(override: Override) -> str:
    """From the first to the last day."""
    if override.first == override.last:
        return date_format(override.first)
    return f"{date_format(override.first)} – {date_format(override.last)}"


def describe_change(override: Override) -> str:
    """What becomes of the units: "+20%", "+50 units", "set to 300 units".

    >>> describe_change(Override(kind="percent", amount=-7.5))
    '−7.5%'
    """
    amount = override.amount
    if override.kind == Override.Kind.PERCENT:
        return f"{format_signed_units(amount)}%"
    if override.kind == Override.Kind.ADD:
        return _("%(units)s units") % {"units": format_signed_units(amount)}
    return _("set to %(units)s units") % {"units": format_units(amount)}


def describe_state(override: Override) -> tuple[str, str]:
    """Class of its badge, and the word."""
    sales = override.dataset.current_version
    if override.is_withdrawn:
        return "", _("withdrawn")
    if sales is not None and override.last <= sales.last:
        return "", _("over")
    if override.is_expired:
        return "", _("expired")
    return "good", _("in force")
