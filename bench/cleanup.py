"""Time and memory of a clean-up of many forecasts: `python -m bench.cleanup [FORECASTS]`.

Fills a temporary installation with forecasts of 2 kB and runs `manage.py cleanup_artifacts --apply --json`,
which deletes all but the newest 1,000, in its own process. Target: 100,000 within 60 s and 300 MB.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTENT = b'{"forecast": [' + b"0.123," * 333 + b"0]}"
BATCH = 5000


def fill_installation(count: int) -> None:
    """Rows and files, written without fsync: a crash may tear them."""
    import hashlib

    from django.utils import timezone

    from prediction.models import Forecast
    from registry.datasets.models import Dataset, DatasetVersion
    from registry.datasets.scope import Scope
    from registry.model_versions.models import ModelVersion
    from registry.storage.artifacts import get_artifact_store

    days = {"first": date(2025, 1, 1), "last": date(2025, 12, 31)}
    source = DatasetVersion.objects.create(
        dataset=Dataset.objects.create(name="bench"), number=1, state="ready", **days
    )
    version = ModelVersion.objects.create_pending(source, Scope(), algorithm="kan")
    version.write(b"weights")
    version.mark_ready()
    facts = {"size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(), "state": "ready"}
    facts |= {"version": version, "dataset_version": source, "horizon": 28, "origin": date(2025, 12, 31)}
    folder = Path(get_artifact_store().path(Forecast.FOLDER))
    folder.mkdir(parents=True)
    now = timezone.now()
    for start in range(0, count, BATCH):
        rows = [Forecast(product=f"P{at % 50:03}", **facts) for at in range(min(BATCH, count - start))]
        Forecast.objects.bulk_create(rows)
        for at, row in enumerate(rows, start):
            row.created_at = now - timedelta(days=2, minutes=at)
            (folder / f"{row.pk}.json").write_bytes(CONTENT)
        Forecast.objects.bulk_update(rows, ["created_at"], batch_size=500)


def run_measured(words: list[str], output: Path) -> tuple[float, resource.struct_rusage]:
    """Wall seconds and resource usage of one process.

    Until exec Linux counts our memory as the child's, so this process must stay small.
    """
    begun = time.monotonic()
    with output.open("wb") as stream:
        process = subprocess.Popen(words, stdout=stream, cwd=ROOT)
        _pid, status, used = os.wait4(process.pid, 0)
    assert status == 0, words
    return time.monotonic() - begun, used


def main(count: int) -> None:
    """Fills an installation, cleans it up and prints the measures as JSON."""
    with tempfile.TemporaryDirectory(prefix="bench-cleanup-") as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "forecastsite.settings"}
        output = Path(folder) / "output"
        manage = [sys.executable, str(ROOT / "manage.py")]
        run_measured([*manage, "migrate", "-v0"], output)
        run_measured([sys.executable, "-m", "bench.cleanup", "fill", str(count)], output)
        seconds, used = run_measured([*manage, "cleanup_artifacts", "--apply", "--json"], output)
        counts = json.loads(output.read_bytes())["counts"]
        assert counts["deleted"] == count - 1000 and counts["left"] == 0, counts
        found = {"forecasts": count, "seconds": seconds, "cpu": used.ru_utime + used.ru_stime}
        found["mb"] = used.ru_maxrss / 1024
        print(json.dumps({name: round(value, 1) for name, value in found.items()}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        import django

        django.setup()
        fill_installation(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
