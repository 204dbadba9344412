"""The clean-up in the admin: switched on and off, looked at, carried out, and who may."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from forecastsite.cleanup.models import CleanUp, Nightly
from forecastsite.cleanup.service import build_default_policy, build_plan
from prediction.models import Forecast

LIST = "admin:forecastsite_nightly_changelist"


@pytest.fixture
def act(admin_page):
    """Chooses an action for the one row."""

    def post(action: str, **more: str):
        form = {"action": action, "_selected_action": [str(Nightly.objects.ensure_schedule().pk)], **more}
        return admin_page.post(reverse(LIST), form, follow=True)

    return post


def test_it_is_switched_on_and_off_after_a_question(act):
    assert "A clean-up will run every night" in act("switch_on").content.decode()
    assert not Nightly.objects.get().is_enabled
    act("switch_on", confirmed="yes")
    assert Nightly.objects.get().is_enabled
    act("switch_off", confirmed="yes")
    assert not Nightly.objects.get().is_enabled


@pytest.mark.parametrize(("language", "word"), [("en", "older than 30 days"), ("zh-hans", "30 天")])
def test_the_plan_is_shown_and_exactly_this_one_is_carried_out(act, admin_page, stocked, language, word):
    admin_page.cookies["django_language"] = language
    shown = act("preview_cleanup").content.decode()
    assert word in shown and Forecast.objects.count() == 11
    plan = re.search(r'name="plan" value="(\w{64})"', shown)[1]
    act("clean_up_now", plan=plan)
    done = CleanUp.objects.get()
    assert (done.deleted, done.code, done.by.username) == (9, 0, "boss")
    assert "Nothing to remove" in act("preview_cleanup").content.decode() or language != "en"


def test_without_a_look_at_the_plan_nothing_is_carried_out(act, stocked):
    assert "Clean up now" in act("clean_up_now").content.decode()
    assert Forecast.objects.count() == 11 and not CleanUp.objects.exists()


def test_a_plan_that_changed_since_is_not_carried_out(act, stocked):
    plan = re.search(r'name="plan" value="(\w{64})"', act("preview_cleanup").content.decode())[1]
    stocked["old"][0].pin()
    assert "review it again" in act("clean_up_now", plan=plan).content.decode()
    assert Forecast.objects.count() == 11


def test_the_last_result_is_shown(act, admin_page):
    CleanUp.objects.create(by_schedule=True, deleted=7)
    Nightly.objects.ensure_schedule()
    assert "Deleted 7" in admin_page.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize(("role", "may"), [("Curator", False), ("Operator", True)])
def test_only_operators_look_at_the_plan_and_clean_up(stocked, person, browse, role, may):
    client, row = browse(person("somebody", role)), Nightly.objects.ensure_schedule()
    form = {"action": "preview_cleanup", "_selected_action": [str(row.pk)]}
    shown = client.post(reverse(LIST), form)
    assert (b'name="plan"' in shown.content) == may
    plan = build_plan(build_default_policy()).sha256
    client.post(reverse(LIST), {**form, "action": "clean_up_now", "plan": plan})
    assert Forecast.objects.count() == (3 if may else 11)
