"""Permissions in words, as the pages of people and roles offer them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop

ACTION_WORDS = {
    "add": gettext_noop("add"),
    "change": gettext_noop("change"),
    "delete": gettext_noop("delete"),
    "view": gettext_noop("view"),
    "archive": gettext_noop("archive and restore files"),
    "score": gettext_noop("see everybody's scorecard"),
    "open": gettext_noop("open the administration"),
}


class PermissionField(forms.ModelMultipleChoiceField[Permission]):
    """Each permission by its table and what it allows, in the reader's language."""

    def label_from_instance(self, obj: Any) -> str:
        return permission_label(obj)


class RoleField(forms.ModelMultipleChoiceField[Group]):
    """Each role by its name in the reader's language."""

    def label_from_instance(self, obj: Any) -> str:
        return gettext(obj.name)


def permission_label(permission: Permission) -> str:
    """What a permission allows: "Datasets · change"."""
    kind = permission.content_type.model_class()
    table = capfirst(str(kind._meta.verbose_name_plural)) if kind else permission.content_type.model
    word = ACTION_WORDS.get(permission.codename.partition("_")[0])
    action = gettext(word) if word else permission.name
    return f"{table} · {action}"
