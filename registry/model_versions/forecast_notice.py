"""What the deletion of a version does to the forecasts made with it."""

from __future__ import annotations

from django.utils.translation import ngettext


def describe_forecast_deletion(made: int, pinned: int) -> str:
    """One sentence on the forecasts that go with the version; raises ValueError if some are pinned."""
    if pinned:
        refusal = ngettext(
            "%(count)s pinned forecast was made with it: unpin it first.",
            "%(count)s pinned forecasts were made with it: unpin them first.",
            pinned,
        )
        raise ValueError(refusal % {"count": pinned})
    if not made:
        return ""
    forecasts = ngettext(
        "%(count)s forecast made with it will be deleted too.",
        "%(count)s forecasts made with it will be deleted too.",
        made,
    )
    return forecasts % {"count": made}
