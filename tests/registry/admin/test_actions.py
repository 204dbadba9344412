"""Actions reach an admin from the layer that knows them."""

from __future__ import annotations

from django.contrib import admin

from registry.admin.actions import ActionAdmin, register_action
from registry.admin.artifact_actions import PinArtifact, UnpinArtifact
from registry.model_versions.models import ModelVersion


def test_an_action_is_registered_from_a_higher_layer_and_for_one_admin_only():
    class First(ActionAdmin):
        row_actions = [PinArtifact()]

    class Second(First):
        pass

    register_action(Second, UnpinArtifact())
    assert [action.name for action in Second.row_actions] == ["pin", "unpin"]
    assert [action.name for action in First.row_actions] == ["pin"]


def test_training_registers_retraining_of_versions():
    actions = [action.name for action in admin.site._registry[ModelVersion].row_actions]
    assert actions.count("retrain") == 1 and actions[0] == "promote"
