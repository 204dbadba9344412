"""Overrides added and withdrawn: in one transaction with the order of a new run of the current forecast."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext

from prediction.current_forecast import request_current_forecast
from prediction.overrides.models import Override
from registry.access.audit import AuditAction, record_action
from registry.model_versions.in_use import version_in_use


def add_override(override: Override, by: AbstractBaseUser | None) -> Override:
    """Saves an override that was checked."""
    with transaction.atomic():
        override.save(force_insert=True)
        record_action(AuditAction.CHANGED, override, by, override.text or str(override.get_reason_display()))
        _ask_for_run(override)
    return override


def withdraw_override(override: Override, by: AbstractBaseUser | None) -> None:
    """Ends it for all forecasts to come; raises ValueError if somebody has done so before."""
    with transaction.atomic():
        if not Override.objects.withdraw(override.pk, by):
            raise ValueError(gettext("This override was withdrawn before."))
        record_action(AuditAction.CHANGED, override, by, gettext("withdrawn"))
        _ask_for_run(override)


def _ask_for_run(override: Override) -> None:
    if version_in_use(override.dataset):
        request_current_forecast(override.dataset_id)
