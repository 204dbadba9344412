"""One of several processes that publish versions of one model: `python -m tests.faults.publish COUNT`."""

from __future__ import annotations

import sys

import django

django.setup()

from django.db import transaction  # noqa: E402

from registry.models import DatasetVersion, ModelVersion  # noqa: E402  # needs the set-up above
from registry.scope import Scope  # noqa: E402

data = DatasetVersion.objects.get()
for number in range(int(sys.argv[1])):
    version = ModelVersion.objects.begin(data, Scope(), algorithm="kan", wape=0.1 + number / 1000)
    version.write(b"weights")
    with transaction.atomic():  # as at the end of a training
        version.publish()
