"""What the site remembers of a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from registry.datasets.models import Dataset


class LastDataset(models.Model):
    """The dataset that a person looked at last: the next sign-in begins there."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user} · {self.dataset}"
