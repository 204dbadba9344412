"""Making, reading, saving and deleting forecasts."""

from __future__ import annotations

import csv
import io
import json

import pytest

from prediction.models import Forecast
from registry.datasets.scope import Scope
from registry.storage.artifacts import get_artifact_store

HTMX = {"HX-Request": "true"}


@pytest.fixture
def given(version) -> dict:
    return {"version": version.pk, "product": "P001", "store": "", "horizon": 28}


def test_without_javascript_the_form_leads_to_the_forecasts_own_page(page, given, user, read):
    response = page.post("/forecast/", given)
    made = Forecast.objects.get()
    assert response.status_code == 302 and response["Location"] == f"/forecasts/{made.pk}/"
    assert (made.product, made.horizon, made.created_by) == ("P001", 28, user)
    text = read(page.get(response["Location"]))
    assert "expect about" in text and "units in 28 days" in text and "8 times in 10" in text
    assert "28 days from 1 Nov 2026" in text and "made today" in text


def test_with_htmx_the_same_answer_shows_the_forecast(page, given):
    response = page.post("/forecast/", given, headers=HTMX)
    made = Forecast.objects.get()
    assert response["HX-Push-Url"] == f"/forecasts/{made.pk}/"
    assert b'data-chart="forecast"' in response.content and b"<html" not in response.content


def test_the_version_in_use_is_taken_silently(page, publish):
    worse, best = publish(wape=0.4), publish(wape=0.1)
    publish(Scope("product", "P001"), wape=0.01)
    source = page.get("/forecast/").content.decode()
    assert f'value="{worse.pk}"' in source and f'value="{best.pk}" selected' not in source
    page.post("/forecast/", {"product": "P001", "store": "", "horizon": 7})
    assert Forecast.objects.get().version == best


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"horizon": 0}, "Choose a number from 1 to 365."),
        ({"horizon": 10_000}, "Choose a number from 1 to 365."),
        ({"horizon": "soon"}, "Enter a whole number, like 28."),
        ({"product": "P999"}, "“P999” is not in chain. Choose one from the list, such as: P001"),
        ({"store": "nowhere"}, "“nowhere” is not in chain."),
        ({"version": "00000000-0000-0000-0000-000000000000"}, "Choose one from the list."),
        ({"version": "nonsense"}, "Choose one from the list."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_wrong_answer_gets_one_sentence_and_saves_nothing(page, given, read, change, sentence, headers):
    response = page.post("/forecast/", {**given, **change}, headers=headers)
    assert sentence in read(response) and not Forecast.objects.exists()
    assert (response.get("HX-Retarget") == "#forecast-form") == bool(headers)


def test_a_link_computes_and_shows_the_forecast_and_saves_nothing_until_somebody_does(page, version, read):
    link = "/forecast/?product=P001&horizon=7"
    shown = page.get(link)
    text = read(shown)
    assert "units in 7 days" in text and "not saved" in text and not Forecast.objects.exists()
    token = shown.context["forecast"].pk
    form = {"token": token, "version": version.pk, "product": "P001", "store": "", "horizon": 7}
    first, second = page.post("/forecast/", form), page.post("/forecast/", form)
    made = Forecast.objects.get()
    assert first["Location"] == second["Location"] == f"/forecasts/{made.pk}/"
    assert made.total == shown.context["forecast"].total


def test_a_computed_forecast_can_be_compared_and_downloaded(page, publish):
    publish(wape=0.2)
    other = publish(wape=0.5)
    shown = page.get(f"/forecast/?store=S01&with={other.pk}")
    assert len(shown.context["chart"]["compare"]) == 1
    rows = list(csv.DictReader(io.StringIO(page.get("/forecast/?store=S01&export=csv").content.decode())))
    assert sum(float(row["mean"]) for row in rows) == pytest.approx(shown.context["forecast"].total, rel=0.01)
    assert page.get("/forecast/?store=S01&export=xlsx").content.startswith(b"PK")
    assert not Forecast.objects.exists()


def test_a_link_to_something_unknown_shows_the_form_with_a_way_on(page, version):
    source = page.get("/forecast/?product=P999").content.decode()
    assert 'id="forecast-form"' in source and "?product=P001" in source and 'id="answer"' not in source


@pytest.mark.parametrize("damage", [b"not a bundle at all", None])
def test_a_damaged_model_file_gets_one_sentence(page, given, version, read, damage):
    get_artifact_store().delete(version.path)
    if damage:
        get_artifact_store().save(version.path, io.BytesIO(damage))
    text = read(page.post("/forecast/", given))
    assert "The file of" in text and "Traceback" not in text
    assert not Forecast.objects.exists()


def test_a_damaged_forecast_file_gets_one_sentence_and_can_be_deleted(page, forecast, read):
    get_artifact_store().delete(forecast.path)
    assert "is missing" in read(page.get(f"/forecasts/{forecast.pk}/"))
    assert page.get(f"/forecasts/{forecast.pk}/csv/").status_code == 302
    page.post(f"/forecasts/{forecast.pk}/delete/")
    assert not Forecast.objects.exists()


def test_page_file_csv_and_database_show_the_same_numbers(page, forecast):
    rows = list(csv.DictReader(io.StringIO(page.get(f"/forecasts/{forecast.pk}/csv/").content.decode())))
    saved = json.loads(get_artifact_store().open(forecast.path).read())
    shown = page.get(f"/forecasts/{forecast.pk}/").context["chart"]
    assert len(rows) == 28 and [float(row["mean"]) for row in rows] == [
        day["mean"] for day in saved["forecast"]
    ]
    assert shown["forecast"] == saved["forecast"] and shown["history"] == saved["history"]
    assert sum(float(row["mean"]) for row in rows) == pytest.approx(forecast.total, rel=0.01)


def test_deleting_a_forecast_asks_and_then_takes_row_and_file(page, forecast, read):
    assert "Delete this forecast?" in read(page.get(f"/forecasts/{forecast.pk}/delete/"))
    assert get_artifact_store().exists(forecast.path)
    text = read(page.post(f"/forecasts/{forecast.pk}/delete/", follow=True))
    assert "Deleted the forecast of P001" in text and "and its file." in text
    assert not get_artifact_store().exists(forecast.path) and not Forecast.objects.exists()


def test_a_pinned_forecast_is_not_deleted(page, forecast, read):
    forecast.pin()
    text = read(page.post(f"/forecasts/{forecast.pk}/delete/", follow=True))
    assert "is pinned: unpin it first." in text and get_artifact_store().exists(forecast.path)


def test_the_history_finds_a_product(page, forecast, read):
    assert forecast.version.title in read(page.get("/forecasts/", {"q": "p001"}))
    assert "No forecast matches this search." in read(page.get("/forecasts/", {"q": "P002"}))


@pytest.mark.parametrize("htmx", [False, True])
def test_a_version_in_the_archive_is_brought_back_and_the_page_says_so(page, publish, archive_folder, htmx):
    publish(wape=0.2)
    spare = publish(wape=0.4)
    spare.move_to_archive()
    headers = {"HX-Request": "true"} if htmx else {}
    form = {"version": str(spare.pk), "horizon": 7}
    answer = page.post("/forecast/", form, headers=headers, follow=not htmx).content.decode()
    assert f"{spare.name} was in the archive and has been restored." in answer
    assert 'id="answer"' in answer


def test_a_forecast_in_the_archive_is_brought_back_and_the_page_says_so(page, forecast, archive_folder):
    forecast.move_to_archive()
    address = f"/forecasts/{forecast.pk}/"
    assert "was in the archive and has been restored." in page.get(address).content.decode()
    assert "was in the archive" not in page.get(address).content.decode()
