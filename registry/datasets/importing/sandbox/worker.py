"""The process that imports a file: reads its job from standard input, limits itself, writes a report."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from registry.datasets.importing.progress import REPORT
from registry.lib.process import die_with_parent

if TYPE_CHECKING:
    from registry.datasets.importing.options import ImportJob

MAX_FILE_BYTES = 24 << 30
NICENESS = 5


class PandasBlocker:
    """Hides pandas from pyarrow, which would spend half a second of every import on loading it."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def main() -> None:
    """Writes report.json into the job's folder and ends the process."""
    order = json.loads(sys.stdin.buffer.read())
    die_with_parent(order["parent"])
    apply_limits(order["memory"], order["seconds"])
    tempfile.tempdir = order["job"]["folder"]
    sys.meta_path.insert(0, PandasBlocker)
    configure_django(order["locale"], order["job"]["language"])
    REPORT.open(Path(order["job"]["folder"]))
    (Path(order["job"]["folder"]) / "report.json").write_text(json.dumps(run_job(order["job"])))
    os._exit(0)  # threads of the parquet library may abort a process that ends slowly


def apply_limits(memory: int, seconds: int) -> None:
    """Limits memory, CPU time and file size; no core files, and less priority than the web server."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


def configure_django(locale: str, language: str) -> None:
    """Sets up translations only: no apps, no database, no secret key."""
    import django
    from django.conf import settings
    from django.utils import translation

    settings.configure(USE_I18N=True, LOCALE_PATHS=[locale], INSTALLED_APPS=[])
    django.setup()
    translation.activate(language)


def run_job(given: dict[str, Any]) -> dict[str, Any]:
    """The report, or {"problem": a sentence} when the file cannot be imported."""
    from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
    from registry.datasets.importing.formats.readers import DISK_FULL
    from registry.datasets.importing.options import ImportJob
    from registry.datasets.importing.sandbox.pipeline import run_import

    job = ImportJob.from_json(given)
    try:
        return run_import(job)
    except AmbiguousValue as question:
        return {"problem": str(question), "question": question.field_name, "options": question.answers}
    except SalesFileError as problem:
        return {"problem": str(problem)}
    except MemoryError:
        return {"problem": out_of_memory_message(job)}
    except OSError as problem:
        if problem.errno not in DISK_FULL:
            raise
        return {"problem": disk_full_message(job.name)}


def disk_full_message(file: str) -> str:
    """What to do about a disk without room for what a check puts there."""
    words = {"file": file}
    return _("There is no room on the disk to check %(file)s: free some space and try again.") % words


def out_of_memory_message(job: ImportJob) -> str:
    """What to do about too little memory: it depends on whether the file or the dataset is large."""
    words = {"file": job.name}
    if job.base_bytes > os.path.getsize(job.path):
        return (
            _(
                "The dataset is too large to add %(file)s: save its newest years as a separate "
                "dataset and add new days to that one."
            )
            % words
        )
    return _("Reading %(file)s needs too much memory: split it by month.") % words


if __name__ == "__main__":
    main()
