"""Django app prediction."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PredictionConfig(AppConfig):
    name = "prediction"
    verbose_name = _("Forecasts")

    def ready(self) -> None:
        from prediction import current_triggers
        from prediction.order_runs import removal_checks

        current_triggers.connect()
        removal_checks.connect()
