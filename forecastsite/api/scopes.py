"""What a key may do: scopes, each within the rights of the person who owns the key."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from registry.access.permissions import Person


@dataclass(frozen=True)
class Scope:
    """A name, what it opens in words, and the permissions of which its owner needs one."""

    name: str
    label: StrOrPromise
    permissions: tuple[str, ...] = ()

    def is_open_to(self, user: Person) -> bool:
        """Whether the person may give it to a key; everybody may read."""
        return not self.permissions or any(user.has_perm(name) for name in self.permissions)


SCOPES = {
    scope.name: scope
    for scope in (
        Scope("data:read", _("Read datasets, sales and the catalog")),
        Scope("data:write", _("Import sales, change datasets"), ("registry.add_datasetversion",)),
        Scope("stock:read", _("Read stock and terms")),
        Scope("stock:write", _("Import stock and terms"), ("registry.add_stocksnapshot",)),
        Scope("training:read", _("Read trainings")),
        Scope("training:write", _("Start and stop trainings"), ("training.add_trainingrun",)),
        Scope("models:read", _("Read model versions")),
        Scope(
            "models:write",
            _("Put model versions in use, roll back, delete"),
            ("registry.change_modelversion", "registry.delete_modelversion", "training.add_trainingrun"),
        ),
        Scope("forecasts:read", _("Read forecasts")),
        Scope(
            "forecasts:write",
            _("Make forecasts and choose the current one"),
            ("prediction.add_forecastrun", "prediction.add_forecast", "prediction.delete_forecastrun"),
        ),
        Scope("orders:read", _("Read orders")),
        Scope(
            "orders:write",
            _("Make, change and approve orders, set their policy"),
            ("prediction.add_orderrun", "prediction.approve_orderrun", "prediction.delete_orderrun"),
        ),
        Scope("overrides:read", _("Read overrides")),
        Scope("overrides:write", _("Add and withdraw overrides"), ("prediction.add_override",)),
        Scope("scenarios:read", _("Read plans that are tried")),
        Scope("scenarios:write", _("Try plans on forecasts"), ("prediction.add_scenario",)),
        Scope("webhooks:write", _("Set up webhooks"), ("forecastsite.add_webhook",)),
        Scope("automation:read", _("Read sources and schedules")),
        Scope(
            "automation:write",
            _("Set up, switch and run sources and schedules"),
            ("forecastsite.run_plan", "forecastsite.add_plan"),
        ),
        Scope("accuracy:read", _("Read accuracy and alerts")),
        Scope("accuracy:write", _("Acknowledge alerts"), ("prediction.change_accuracyalert",)),
    )
}


def list_open_scopes(user: Person) -> list[Scope]:
    """The scopes that this person may give to a key."""
    return [scope for scope in SCOPES.values() if scope.is_open_to(user)]
