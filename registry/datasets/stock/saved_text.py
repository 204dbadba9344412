"""What an import of stock or terms saved, in sentences."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.datasets.stock.models import StockSnapshot


def describe_saved(saved: StockSnapshot | int) -> str:
    """What was saved, and what of it no order will use, in sentences."""
    if isinstance(saved, int):
        return ngettext("%(count)d row of terms is saved.", "%(count)d rows of terms are saved.", saved) % {
            "count": saved
        }
    parts = [_("The stock of %(day)s is saved.") % {"day": saved.as_of}]
    if saved.unknown:
        parts.append(
            ngettext(
                "%(count)d row is of a store or product without sales: no order is made for it.",
                "%(count)d rows are of stores or products without sales: no order is made for them.",
                saved.unknown,
            )
            % {"count": saved.unknown}
        )
    if saved.below_zero:
        parts.append(
            ngettext(
                "%(count)d row is below 0 and counts as 0: count that shelf again.",
                "%(count)d rows are below 0 and count as 0: count these shelves again.",
                saved.below_zero,
            )
            % {"count": saved.below_zero}
        )
    return " ".join(parts)
