"""Ids, numbers and lists from addresses and forms: nothing that the database cannot hold reaches it."""

from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest
from django.http import QueryDict

from registry.lib.request_values import MAX_LIST, clean_text, read_id, read_uuid, read_uuids
from tests.helpers.trials import repeats

pytestmark = pytest.mark.slow

NO_IDS = ["²", "٣", "７", "9" * 20, "9" * 5_000, "-1", "1e5", "\0", "7\0", "x", "0x7", "7;drop", "None", " "]
ADDRESSES = [
    "/models/?dataset={}",
    "/models/?page={}",
    "/models/?q={}",
    "/models/?method={}",
    "/models/compare/?v={}&v={}",
    "/forecasts/?dataset={}",
    "/forecasts/?q={}&page={}",
    "/train/?dataset={}&horizon={}",
    "/train/cost/?dataset={}",
    "/train/knobs/?algorithm={}",
    "/forecast/?version={}",
    "/data/?q={}",
    "/data/upload/?dataset={}",
    "/data/suggest/store/?dataset={}&store={}",
    "/data/suggest/product/?version={}",
    "/data/{}/",
    "/data/{}/sales.csv",
    "/admin/registry/dataset/{}/change/",
    "/admin/registry/auditentry/?p={}",
    "/admin/registry/auditentry/?at__year={}",
    "/admin/registry/auditentry/csv/?at__gte={}",
    "/admin/auth/user/?id={}",
]
TABLES = [
    "auth/user",
    "axes/accessattempt",
    "forecastsite/nightly",
    "prediction/forecast",
    "registry/dataset",
    "registry/modelversion",
    "training/trainingrun",
]

ACTIONS = ("delete_selected", "pin", "stop", "unlock", "switch_on")


@pytest.mark.parametrize("text", NO_IDS)
def test_a_text_that_is_no_id_is_read_as_none(text):
    assert read_id(text) is None and read_uuid(text) is None


def test_an_id_is_read_up_to_the_largest_that_a_database_stores():
    assert read_id(str(2**63 - 1)) == 2**63 - 1 and read_id(str(2**63)) is None


def test_a_long_list_is_cut_and_each_id_counts_once():
    ids = [uuid.UUID(int=number) for number in range(2_000)]
    query = QueryDict(mutable=True)
    query.setlist("with", [str(ids[0]), "nonsense", *map(str, ids)])
    assert read_uuids(query, "with") == ids[: MAX_LIST - 2]


def test_a_search_loses_what_no_database_stores():
    assert clean_text("a\0b\ud800") == "a b" and len(clean_text("x" * 9_000)) == 100


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_value_that_is_no_id_is_ignored_or_not_found(admin_page, forecast, address):
    for text in NO_IDS:
        response = admin_page.get(address.replace("{}", quote(text)))
        assert response.status_code in (200, 302, 404, 414), (text, response.status_code)


# Each text with one of the actions; the repeats bring the other pairs.
@pytest.mark.parametrize(
    "first", [0, *(pytest.param(at, marks=repeats) for at in range(1, len(ACTIONS)))], ids="from{}".format
)
@pytest.mark.parametrize("table", TABLES)
def test_an_admin_action_on_no_id_selects_nothing(admin_page, forecast, table, first):
    for at, text in enumerate(NO_IDS, start=first):
        action = ACTIONS[at % len(ACTIONS)]
        posted = {"action": action, "_selected_action": text, "index": "0"}
        response = admin_page.post(f"/admin/{table}/", posted)
        assert response.status_code in (200, 302), (text, action)


def test_an_action_leaves_out_only_the_wrong_ids(admin_page, version):
    posted = {"action": "pin", "_selected_action": ["nonsense", str(version.pk)], "confirmed": "1"}
    admin_page.post("/admin/registry/modelversion/", posted)
    version.refresh_from_db()
    assert version.pinned


def test_a_wrong_filter_of_the_audit_download_leads_back_to_the_list(admin_page):
    response = admin_page.get("/admin/registry/auditentry/csv/?at__gte=x")
    assert response.status_code == 302 and response["Location"].endswith("/admin/registry/auditentry/?e=1")
