"""For all tests: the rule on skips, artifacts in a folder of the test, and where the shared fixtures are."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import translation

from forecastsite.accounts.roles import create_roles
from tests.helpers.installation import share_prepared_folder
from tests.helpers.trials import FULL

pytest_plugins = [
    f"tests.fixtures.{name}"
    for name in ("api", "people", "chain", "pages", "sales_files", "storage", "training", "waves")
]

# Thousands of tests and a few libraries are a million objects that stay: looking through them again and again
# took a sixth of the time.
gc.set_threshold(100_000, 50, 50)


def forbidden(report: pytest.TestReport | pytest.CollectReport) -> bool:
    """In CI everything must run: a skip there is a hole in the net."""
    return os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail")


def failed(report) -> None:
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome, report.longrepr = "failed", f"With CI=true nothing may skip. {reason}"


def pytest_configure(config) -> None:
    """WhiteNoise warns about a folder that only a started product has; workers share an installation."""
    from django.conf import settings

    share_prepared_folder()
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


def pytest_collection_modifyitems(config, items) -> None:
    """Cases that only repeat wait for `make test-faults`. Files that take minutes come first, then those that
    start processes or learn, so that no worker is left alone with one at the end."""
    long = {item.path for item in items if any(map(item.get_closest_marker, ("processes", "slow")))}
    items.sort(key=lambda item: (not {"browser", "faults"} & set(item.path.parts), item.path not in long))
    if not FULL:
        repeated = [item for item in items if item.get_closest_marker("repeats")]
        config.hook.pytest_deselected(items=repeated)
        items[:] = [item for item in items if not item.get_closest_marker("repeats")]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getvalue("dist") == "loadfile":
        from tests.helpers.scheduling import SharedBrowserScheduling

        return SharedBrowserScheduling(config, log)
    return None


def pytest_collection_finish(session) -> None:
    """What was loaded so far is looked at no more."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if forbidden(report):
        failed(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    if forbidden(report):
        failed(report)
    return report


@pytest.fixture(scope="session")
def data_folders(tmp_path_factory) -> Iterator[Path]:
    """A new empty folder for each test; `tmp_path` would look at those of all tests before it."""
    root = tmp_path_factory.mktemp("data")
    return (root / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def artifact_folder(data_folders: Iterator[Path], settings) -> Path:
    """Artifacts of a test never touch the data folder; locks and uploads of other tests lie elsewhere."""
    folder = next(data_folders)
    settings.DATA_DIR = folder / "data"
    settings.DATA_DIR.mkdir(parents=True)
    folder = folder / "artifacts"
    backend = {"BACKEND": "registry.lib.durable_storage.DurableStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": backend}
    return folder


@pytest.fixture
def archive_folder(tmp_path: Path, settings) -> Path:
    """An archive in a second folder."""
    folder = tmp_path / "archive"
    settings.ARCHIVE_STORE = str(folder)
    backend = {"BACKEND": "registry.lib.durable_storage.DurableStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "archive": backend}
    return folder


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """Tables come from the models (--no-migrations), roles and the list of migrations from here."""
    with django_db_blocker.unblock():
        create_roles(apps)
        MigrationRecorder(connection).ensure_schema()


@pytest.fixture(autouse=True)
def quick_reading(request, monkeypatch) -> None:
    """Files are read in this process; tests of the limits are marked `processes` and start a real one."""
    if request.node.get_closest_marker("processes") is None:
        from registry.datasets.importing.sandbox import launcher, pipeline

        monkeypatch.setattr(launcher, "run_in_sandbox", pipeline.run_import)


@pytest.fixture(autouse=True)
def quick_files(request, monkeypatch, settings) -> None:
    """No test outlives a power cut, and none needs every static file looked up for each browser it opens."""
    settings.WHITENOISE_AUTOREFRESH = True
    if request.node.get_closest_marker("processes") is None:
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(autouse=True)
def first_in_english(settings) -> Iterator[None]:
    """A page read in Chinese leaves its language behind in the thread; the next test starts afresh."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Slow hashes protect people, not tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
