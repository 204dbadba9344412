"""One of several processes that publish versions: `python -m tests.faults.publish_worker COUNT`."""

from __future__ import annotations

import sys

import django


def publish(count: int) -> None:
    from django.db import transaction

    from registry.datasets.models import DatasetVersion
    from registry.datasets.scope import Scope
    from registry.model_versions.models import ModelVersion

    data = DatasetVersion.objects.get()
    for number in range(count):
        version = ModelVersion.objects.create_pending(
            data, Scope(), algorithm="kan", wape=0.1 + number / 1000
        )
        version.write(b"weights")
        with transaction.atomic():  # as at the end of a training
            version.publish()


if __name__ == "__main__":
    django.setup()
    publish(int(sys.argv[1]))
