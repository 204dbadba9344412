"""Safety limits of a clean-up, checked against its plan before anything is removed."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from registry.storage.retention import CleanupPlan


class LimitExceeded(Exception):
    """A safety limit refused the plan before anything was done. The text is one sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Safety limits of one clean-up.

    `max_delete` is a number of rows or a share such as "20%", empty for no limit; up to `always_allowed`
    rows may be removed whatever their share.
    """

    max_delete: str = ""
    always_allowed: int = 0
    expected_sha256: str = ""
    batch_size: int = 200
    time_limit: float | None = None


def check_limits(found: CleanupPlan, limits: Limits) -> None:
    """Raises LimitExceeded if the plan is too large, or is not the expected one."""
    if limits.expected_sha256 and limits.expected_sha256 != found.sha256:
        raise LimitExceeded(_("The plan has changed since you reviewed it: review it again."))
    number, percent, _rest = limits.max_delete.partition("%")
    top = len(found.items) * float(number) / 100 if percent else float(number or "inf")
    if len(found.due_items) > max(top, limits.always_allowed):
        words = {"number": len(found.due_items), "all": len(found.items), "most": limits.max_delete}
        sentence = _(
            "%(number)s of %(all)s would be removed, more than the limit of %(most)s: review the plan first."
        )
        raise LimitExceeded(sentence % words)
