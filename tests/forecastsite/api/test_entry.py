"""The short way of programs: past sessions and messages, but not past limits, languages and the audit log."""

from __future__ import annotations

from registry.access.audit import AuditEntry


def test_a_list_asks_for_the_key_the_rows_and_their_versions_only(api, sales, django_assert_num_queries):
    api.get("/api/v1/datasets")
    with django_assert_num_queries(3):
        answer = api.get("/api/v1/datasets")
    assert answer.json()["items"][0]["version"]["rows"] == sales.rows


def test_a_program_gets_no_cookie_and_its_language(api):
    answer = api.get("/api/v1/nowhere", headers={"Accept-Language": "zh-CN"})
    assert not answer.cookies and answer["Content-Language"] == "zh-hans"
    assert answer["Content-Type"] == "application/problem+json" and answer["X-Request-ID"]


def test_another_host_and_an_endless_address_are_refused_as_problems(api):
    for status, given in ((400, {"HTTP_HOST": "evil.example"}), (414, {"QUERY_STRING": "a=" + "x" * 9000})):
        answer = api.get("/api/v1/datasets", **given)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_a_database_that_is_busy_is_said_as_503(api, monkeypatch):
    from django.db import OperationalError

    def fail(*given):
        raise OperationalError("database is locked")

    monkeypatch.setattr("forecastsite.api.v1.find_key", fail)
    answer = api.get("/api/v1/datasets")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


def test_a_download_of_a_program_is_audited(api, sales, user):
    b"".join(api.get(f"/api/v1/datasets/{sales.dataset_id}/sales?format=csv").streaming_content)
    entry = AuditEntry.objects.get(act="exported")
    assert entry.who == user.username
