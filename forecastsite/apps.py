"""Django apps of the top layer: the product itself, and the admin with its own site."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as stock


class ForecastsiteConfig(AppConfig):
    """Pages, commands and settings of the whole product."""

    name = "forecastsite"
    default = True

    def ready(self) -> None:
        """Connects the signal handlers."""
        from forecastsite.accounts import signals  # noqa: F401


class ForecastAdminConfig(stock.AdminConfig):
    """Django's admin with the product's admin site."""

    default = False
    default_site = "forecastsite.accounts.admin_site.ForecastAdminSite"
