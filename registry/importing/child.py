"""`python -m registry.importing.child`: reads the job on its standard input, with limits on itself."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from registry.process import die_with_parent

LARGEST_FILE = 4 << 30


def main() -> None:
    order = json.loads(sys.stdin.buffer.read())
    die_with_parent(order["parent"])
    limit(order["memory"], order["seconds"])
    prepare(order["locale"], order["job"]["language"])
    (Path(order["job"]["folder"]) / "report.json").write_text(json.dumps(attempt(order["job"])))


def limit(memory: int, seconds: int) -> None:
    """Address space, processor time, size of what is written; no core files; behind the web server."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


def prepare(locale: str, language: str) -> None:
    """Just enough of Django to speak the reader's language: no apps, no database, no secret key."""
    import django
    from django.conf import settings
    from django.utils import translation

    settings.configure(USE_I18N=True, LOCALE_PATHS=[locale], INSTALLED_APPS=[])
    django.setup()
    translation.activate(language)


def attempt(given: dict[str, Any]) -> dict[str, Any]:
    """The report, or the one sentence that says why there is none."""
    from django.utils.translation import gettext as _

    from registry.importing.pipeline import perform
    from registry.importing.problems import Question, SalesError
    from registry.importing.reading import Job

    job = Job.of(given)
    try:
        return perform(job)
    except Question as question:
        return {"problem": str(question), "question": question.about, "options": question.options}
    except SalesError as problem:
        return {"problem": str(problem)}
    except MemoryError:
        words = {"file": job.name}
        return {"problem": _("%(file)s needs more memory than it may use: split it by months.") % words}


if __name__ == "__main__":
    main()
