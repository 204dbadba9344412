"""Fixtures of all tests: people with different rights, a small chain, a version; and the rule on skips."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import translation

from forecastsite.accounts.roles import create_roles
from registry.datasets.models import DatasetVersion
from registry.datasets.scope import Scope
from registry.model_versions.models import ModelVersion

PASSWORD = "a long enough one"


def forbidden(report: pytest.TestReport | pytest.CollectReport) -> bool:
    """In CI everything must run: a skip there is a hole in the net."""
    return os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail")


def failed(report) -> None:
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome, report.longrepr = "failed", f"With CI=true nothing may skip. {reason}"


def pytest_configure(config) -> None:
    """WhiteNoise warns about a folder that only a started product has."""
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


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


@pytest.fixture(autouse=True)
def artifact_folder(tmp_path: Path, settings) -> Path:
    """Artifacts of a test never touch the data folder."""
    folder = tmp_path / "artifacts"
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


@pytest.fixture(autouse=True)
def quick_reading(request, monkeypatch) -> None:
    """Files are read in this process; tests of the limits are marked `processes` and start a real one."""
    if request.node.get_closest_marker("processes") is None:
        from registry.datasets.importing import pipeline, sandbox

        monkeypatch.setattr(sandbox, "run_in_sandbox", pipeline.run_import)


@pytest.fixture(autouse=True)
def first_in_english(settings) -> Iterator[None]:
    """A page read in Chinese leaves its language behind in the thread; the next test starts afresh."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Slow hashes protect people, not tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person(db) -> Callable[..., User]:
    """Makes somebody with these roles."""

    def make(name: str, *roles: str) -> User:
        if not Group.objects.exists():  # a test with real transactions empties every table
            create_roles(apps)
        user = User.objects.create_user(name, password=PASSWORD)
        user.groups.set(Group.objects.filter(name__in=roles))
        return user

    return make


@pytest.fixture
def browse() -> Callable[[User | None], Client]:
    """A browser without JavaScript, signed in as that person."""

    def opener(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return opener


@pytest.fixture
def user(person) -> User:
    """Somebody who may use all pages."""
    return person("ana", "Curator")


@pytest.fixture
def admin(db) -> User:
    """Somebody who may also use the admin."""
    return User.objects.create_superuser("boss", password=PASSWORD)


@pytest.fixture
def page(user, browse) -> Client:
    return browse(user)


@pytest.fixture
def admin_page(admin, browse) -> Client:
    return browse(admin)


@pytest.fixture
def anonymous(db) -> Client:
    return Client()


@pytest.fixture(scope="session")
def chain_file(tmp_path_factory) -> Path:
    """Two stores, three products, three hundred days."""
    from registry.datasets.sample.generator import SampleDataset

    path = tmp_path_factory.mktemp("chain") / "chain.parquet"
    SampleDataset(stores=2, products=3, days=300).write_parquet(path)
    return path


@pytest.fixture
def sales(db, chain_file) -> DatasetVersion:
    """The small chain, imported."""
    from registry.datasets.importer import import_file

    return import_file(chain_file, "chain")


@pytest.fixture(scope="session")
def learned() -> Iterator[dict]:
    """Results of learning, so that each scope is learned once for all tests."""
    yield {}


@pytest.fixture
def publish(sales, learned):
    """Publishes a version of a scope, as a training does."""
    from registry.datasets.reader import read_panel
    from training.learning.pipeline import TrainingConfig, TrainingPipeline

    def publisher(
        scope: Scope | None = None, wape: float = 0.3, algorithm: str = "seasonal_naive"
    ) -> ModelVersion:
        scope = scope or Scope()
        if scope not in learned:
            learning = TrainingPipeline(
                read_panel(sales, scope), TrainingConfig("seasonal_naive", horizon=28, budget=5)
            )
            list(learning)
            learned[scope] = learning.result
        result = learned[scope]
        naive = {**result.metrics["seasonal_naive"], "wape": 0.6}  # worse than what the tests publish
        metrics = {**result.metrics, "wape": wape, "bias": 0.01, "seasonal_naive": naive}
        version = ModelVersion.objects.create_pending(
            sales, scope, algorithm=algorithm, horizon=28, metrics=metrics, wape=wape
        )
        version.write(result.bundle.to_bytes())
        version.publish()
        return ModelVersion.objects.get(pk=version.pk)

    return publisher


@pytest.fixture
def version(publish) -> ModelVersion:
    return publish()
