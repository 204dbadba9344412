"""Names of requests and jobs in the log."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from forecastsite.server.json_logs import JsonFormatter, log_job_end, name_job
from registry.lib.log_context import log_context, name_in_logs


@pytest.fixture
def lines():
    """Log lines as they are written, of requests and jobs."""
    found: list[dict] = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(json.loads(self.format(record)))

    handler, source = Keep(), logging.getLogger("forecastsite")
    handler.setFormatter(JsonFormatter())
    source.addHandler(handler)
    before = source.level
    source.setLevel(logging.INFO)
    yield found
    source.removeHandler(handler)
    source.setLevel(before)


def test_every_answer_names_its_request_and_so_does_the_log(page, user, lines):
    answer = page.get("/help/", headers={"X-Request-ID": "from-the-proxy-7"})
    assert answer["X-Request-ID"] == "from-the-proxy-7"
    line = lines[-1]
    assert (line["request"], line["page"], line["status"]) == ("from-the-proxy-7", "help", 200)
    assert line["user"] == user.pk and line["seconds"] >= 0


def test_a_name_that_could_confuse_the_log_is_replaced(page):
    assert page.get("/help/", headers={"X-Request-ID": 'a" b'})["X-Request-ID"].isalnum()
    assert page.get("/help/")["X-Request-ID"] != page.get("/help/")["X-Request-ID"]


def test_lines_inside_name_their_work_and_lines_outside_do_not():
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "%s rows", (3,), None)
    with name_in_logs(run="7"):
        inside = json.loads(JsonFormatter().format(record))
    assert (inside["run"], inside["message"], inside["level"]) == ("7", "3 rows", "warning")
    assert "run" not in json.loads(JsonFormatter().format(record))


def test_a_stack_trace_is_one_field():
    try:
        raise ValueError("odd")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "bad", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line and "ValueError: odd" in json.loads(line)["trace"]


def test_a_job_has_one_line_at_its_end(lines):
    kept = log_context.get()
    task = {"id": "9c0d", "func": "forecastsite.tasks.probe", "success": True}
    name_job(task=task)
    log_job_end(task=task)
    assert not log_context.get()["job"]
    log_context.set(kept)
    assert (lines[-1]["job"], lines[-1]["message"]) == ("9c0d", "Job done: forecastsite.tasks.probe")
