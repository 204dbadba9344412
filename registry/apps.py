"""Django app registry."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    """Datasets, model versions and their storage."""

    name = "registry"
    verbose_name = _("Data and models")

    def ready(self) -> None:
        """Sources hear when one of their files was saved."""
        from registry.datasets.sources.checking import note_saved
        from registry.datasets.uploads import upload_saved

        upload_saved.connect(note_saved, dispatch_uid="sources")
