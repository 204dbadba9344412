"""Django apps of the top layer: the product itself, and the admin with its own site."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as stock
from django.utils.translation import gettext_lazy as _


class ForecastsiteConfig(AppConfig):
    """Pages, commands and settings of the whole product."""

    name = "forecastsite"
    verbose_name = _("Operations")
    default = True

    def ready(self) -> None:
        """Connects the signal handlers and names what libraries bring into the admin."""
        from forecastsite.accounts import signals  # noqa: F401
        from forecastsite.accounts.library_names import name_libraries
        from forecastsite.automation.starting import wake_waiting
        from forecastsite.webhooks import outbox
        from registry.lib.events import job_ended

        name_libraries()
        outbox.connect()
        job_ended.connect(wake_waiting, dispatch_uid="automation")


class ForecastAdminConfig(stock.AdminConfig):
    """Django's admin with the product's admin site."""

    default = False
    default_site = "forecastsite.accounts.admin_site.ForecastAdminSite"
