"""What a clean-up did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from registry.storage.retention import CleanupPlan


@dataclass
class CleanupOutcome:
    """The result; `left_count` items were not reached in time or before the archive stopped answering."""

    plan: CleanupPlan
    counts: Counter[str] = field(default_factory=Counter)  # by action, and "skipped"
    freed_bytes: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    left_count: int = 0
    unreachable_reason: str = ""

    @property
    def exit_code(self) -> int:
        """0 done, 3 partly failed, 6 archive unreachable."""
        return 6 if self.unreachable_reason else 3 if self.failures else 0

    @property
    def failure_sentence(self) -> str:
        """One sentence about the failures, or an empty string."""
        if self.unreachable_reason or not self.failures:
            return self.unreachable_reason
        words = {"failed": len(self.failures), **self.failures[0]}
        return _("%(failed)s failed, first %(name)s: %(error)s") % words

    def to_columns(self) -> dict[str, Any]:
        """The result as columns of CleanUp."""
        counts = {
            "deleted": self.counts["delete"],
            "archived": self.counts["archive"],
            "freed": self.freed_bytes,
        }
        failed = {"failed": len(self.failures), "left": self.left_count}
        return {**counts, **failed, "code": self.exit_code, "text": self.failure_sentence}
