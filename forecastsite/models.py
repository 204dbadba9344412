"""Imports every model of the app, so that Django finds them."""

from __future__ import annotations

from forecastsite.accounts.models import LastDataset
from forecastsite.api.models import ApiKey, KeptReply, KeyUse
from forecastsite.automation.models import Plan, PlanRun, PlanStep
from forecastsite.cleanup.models import CleanUp, Nightly
from forecastsite.installation import Installation
from forecastsite.server.beats import QueueBeat
from forecastsite.storage.models import StorageSample
from forecastsite.verification.models import BackupNote, Verification
from forecastsite.webhooks.models import Delivery, Webhook

__all__ = [
    "ApiKey",
    "BackupNote",
    "CleanUp",
    "Delivery",
    "Installation",
    "KeptReply",
    "KeyUse",
    "LastDataset",
    "Nightly",
    "Plan",
    "PlanRun",
    "PlanStep",
    "QueueBeat",
    "StorageSample",
    "Verification",
    "Webhook",
]
