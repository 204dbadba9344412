"""Django apps of the top floor: the product itself, and the admin with our site in it."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as stock


class ForecastsiteConfig(AppConfig):
    name = "forecastsite"
    default = True

    def ready(self) -> None:
        from forecastsite.accounts import signals  # noqa: F401  # listens from here on


class ForecastAdminConfig(stock.AdminConfig):
    default = False
    default_site = "forecastsite.accounts.admin_site.ForecastAdminSite"
