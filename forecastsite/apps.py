"""Django app forecastsite."""

from __future__ import annotations

from django.apps import AppConfig


class ForecastsiteConfig(AppConfig):
    name = "forecastsite"
