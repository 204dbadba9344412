"""Django app prediction."""

from __future__ import annotations

from django.apps import AppConfig


class PredictionConfig(AppConfig):
    name = "prediction"
