"""Keys: made within a person's rights, shown once, refused as soon as they should be."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from forecastsite.api.keys import find_key, make_key
from forecastsite.api.models import ApiKey
from registry.access.audit import AuditEntry

ADDRESS = "/api/v1/datasets"


def test_only_a_hash_of_a_key_is_stored(user):
    key, text = make_key(user, "ERP", ["data:read"])
    assert find_key(text) == key and text.startswith(key.prefix)
    stored = " ".join(str(value) for value in ApiKey.objects.values_list()[0])
    assert text not in stored and text.removeprefix(f"{key.prefix}_") not in stored
    assert find_key(text[:-1] + ("a" if text[-1] != "a" else "b")) is None
    assert [find_key(odd) for odd in ("", "fs_", "fs_1_2", f"{text}²", "x" * 500)] == [None] * 5


def test_a_key_can_do_no_more_than_its_owner(person):
    with pytest.raises(ValueError, match="You have no right to data:write yourself"):
        make_key(person("vic"), "too much", ["data:write"])
    with pytest.raises(ValueError, match="no right"):
        make_key(person("pia", "Planner"), "odd", ["all"])


@pytest.mark.parametrize("end", ["revoked", "expired", "left", "deleted"])
def test_a_key_that_ended_opens_nothing(program, user, end):
    client = program(user, "data:read")
    assert client.get(ADDRESS).status_code == 200
    if end == "left":
        user.is_active = False
        user.save()
    elif end == "deleted":
        user.delete()
    else:
        column = {"revoked": "revoked_at", "expired": "expires_at"}[end]
        ApiKey.objects.update(**{column: timezone.now() - timedelta(seconds=1)})
    answer = client.get(ADDRESS)
    assert answer.status_code == 401 and answer["Content-Type"] == "application/problem+json"


def test_rights_that_a_person_loses_are_lost_at_once(program, user, sales):
    client, address = program(user), f"{ADDRESS}/{sales.dataset_id}"
    assert client.patch(address, {"paused": True}, "application/json").status_code == 200
    user.groups.clear()
    answer = client.patch(address, {"paused": False}, "application/json")
    assert answer.status_code == 403 and "You need the role Curator" in answer.json()["detail"]
    assert client.get(address).json()["paused"] is True


def test_neither_a_browser_session_nor_half_a_header_opens_the_api(page, anonymous):
    for client in (page, anonymous):
        assert client.get(ADDRESS).status_code == 401
    for header in ("Bearer", "Bearer ", "Basic YTpi", "fs_1_2", "Bearer " + "x" * 4000):
        assert anonymous.get(ADDRESS, headers={"Authorization": header}).status_code == 401


def test_the_last_use_is_noted(program, user):
    program(user, "data:read").get(ADDRESS, REMOTE_ADDR="192.0.2.9")
    key = ApiKey.objects.get()
    assert key.last_address == "192.0.2.9" and timezone.now() - key.last_used_at < timedelta(minutes=1)


def test_a_person_makes_a_key_sees_it_once_and_revokes_it(page, user, read, anonymous):
    form = {"name": "Power BI", "scopes": ["data:read", "forecasts:read"], "stores": "S01, S02"}
    made = page.post("/keys/", {**form, "lifetime": "30"})
    text = re.search(r'id="key-text">(fs_[^<]+)<', made.content.decode())[1]
    assert "no-store" in made["Cache-Control"]
    again = page.get("/keys/").content.decode()
    assert text not in again and "Power BI" in again
    key = ApiKey.objects.get()
    assert (key.owner, key.stores, key.scopes) == (user, ["S01", "S02"], form["scopes"])
    assert 29 < (key.expires_at - timezone.now()).days + 1 <= 30
    asked = {"Authorization": f"Bearer {text}"}
    assert anonymous.get(ADDRESS, headers=asked).status_code == 200
    assert "opens nothing any more" in read(page.post(f"/keys/{key.pk}/revoke/", follow=True))
    assert anonymous.get(ADDRESS, headers=asked).status_code == 401
    assert set(AuditEntry.objects.filter(kind="apikey").values_list("why", flat=True)) == {
        "key made: data:read, forecasts:read",
        "key revoked",
    }


def test_the_form_offers_only_scopes_that_the_person_has(browse, person, read):
    viewer = browse(person("vic"))
    assert "Import sales" not in read(viewer.get("/keys/"))
    refused = viewer.post("/keys/", {"name": "x", "scopes": ["data:write"], "lifetime": "30"})
    assert not ApiKey.objects.exists() and "Select a valid choice" in read(refused)


def test_nobody_revokes_keys_of_others(browse, person, user):
    key, _text = make_key(user, "mine", ["data:read"])
    assert browse(person("eve", "Curator")).post(f"/keys/{key.pk}/revoke/").status_code == 404
    assert find_key(_text) == key
