"""How often something is tried: a few times in `make test`, every time in `make test-faults`."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

FULL = os.environ.get("FAULTS") == "full"
SHARE = float(os.environ.get("FAULTS_SHARE", "1"))
ON = os.environ.get("FAULTS_ON", "sqlite")
SEED = int(os.environ.get("FAULTS_SEED", random.randrange(10**6)))

# What shows nothing that another case does not show already. Only `make test-faults` runs it.
repeats = pytest.mark.repeats


def many(quick: int, full: int) -> int:
    """How often, in the quick run and in the full one."""
    return max(1, round(full * SHARE)) if FULL else quick


def only_if(true: bool, reason: str) -> Callable:
    """A test that needs what not every machine has. In CI, where nothing may skip, it is not there at all."""
    if true:
        return lambda test: test
    return (lambda test: None) if os.environ.get("CI") == "true" else pytest.mark.skip(reason=reason)
