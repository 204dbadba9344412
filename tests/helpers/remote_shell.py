"""`python -m tests.helpers.remote_shell` runs inside an installation. Each line on stdin is a JSON text,
each answer what it printed: no process has to start, and import, for every question."""

from __future__ import annotations

import io
import json
import sys
import traceback
from contextlib import redirect_stdout

import django


def answer(program: str, names: dict[str, object]) -> dict[str, str]:
    from django.db import close_old_connections

    said = io.StringIO()
    try:
        with redirect_stdout(said):
            exec(program, names)
        return {"said": said.getvalue()}
    except BaseException:
        return {"error": traceback.format_exc()}
    finally:
        close_old_connections()


if __name__ == "__main__":
    django.setup()
    known: dict[str, object] = {}
    answer("from training.models import TrainingRun", known)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), known)), flush=True)
