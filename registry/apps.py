"""Django app registry."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    """Datasets, model versions and their storage."""

    name = "registry"
    verbose_name = _("Data and models")
