"""Log lines as JSON objects, each with the request or job that it belongs to (LOG_FORMAT=json)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from registry.lib.log_context import log_context, name_from_now_on

EXTRA = "facts"  # attribute of a record: more fields of its line

logger = logging.getLogger("forecastsite.jobs")


class JsonFormatter(logging.Formatter):
    """One line a record: time, level, logger, message, request and job, and a stack trace if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in log_context.get().items() if value},
            **getattr(record, EXTRA, {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def name_job(task: dict[str, Any] | None = None, **given: Any) -> None:
    """Signal handler: log lines of this worker name the job until it ends."""
    name_from_now_on(job=str((task or {}).get("id", "")))


def log_job_end(task: dict[str, Any] | None = None, **given: Any) -> None:
    """Signal handler: one line for each job that ends."""
    facts = task or {}
    is_success = bool(facts.get("success"))
    level = logging.INFO if is_success else logging.WARNING
    name = facts.get("func")
    function = name if isinstance(name, str) else getattr(name, "__qualname__", "")
    logger.log(
        level,
        "Job %s: %s",
        "done" if is_success else "failed",
        function,
        extra={EXTRA: {"function": function, "success": is_success}},
    )
    name_from_now_on(job="")
