"""Which version is in use: what the gate lets pass, what people decide, and that it is all written down."""

from __future__ import annotations

import numpy as np
import pytest

from registry.model_versions.changes import VersionChange
from registry.model_versions.gate import SameDays, evaluate_gate
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.series.metrics import bias, score_window


def metrics(wape: float | None, bias: float = 0.0, windows: dict | None = None, naive: float = 0.5) -> dict:
    found = [{"origin": day, "wape": error} for day, error in (windows or {}).items()]
    return {"wape": wape, "bias": bias, "seasonal_naive": {"wape": naive}, "windows": found}


def same_days(mine, theirs, my_bias=0.0, their_bias=0.0, has_learned=False) -> SameDays:
    return SameDays("old", 19, mine, theirs, my_bias, their_bias, has_learned)


def test_a_low_median_of_slow_sellers_rejects_no_version():
    sales = np.tile(np.array([0, 0, 0, 4], np.float32), (3, 21))  # 1 a day, but 0 on most days
    actual, past = sales[:, :28], sales[:, 28:]
    quantiles = np.zeros((3, 28, 7), np.float32)
    quantiles[..., 5:] = 4.0
    found = score_window(actual, np.full((3, 28), 1.02, np.float32), quantiles, past)
    assert bias(actual, quantiles[..., 3]) == -1.0  # of the median
    assert found["bias"] == pytest.approx(0.02, abs=1e-6)
    assert evaluate_gate({**found, "seasonal_naive": {"wape": 1.5}}, None, 0.1).has_passed


A, B, OTHER_DAYS = "a", "b", "could not be tested again"
CASES = [
    (metrics(0.4), None, True, "does better than repeating last week"),
    (metrics(0.5), None, False, "does not beat repeating last week"),
    (metrics(None), None, False, "no test result"),
    ({"wape": 0.1}, None, False, "no test result"),
    (metrics(0.2, bias=0.11), None, False, "too high"),
    (metrics(0.2, bias=-0.11), None, False, "too low"),
    (metrics(0.2, bias=-0.1), None, True, "does better"),
    (metrics(0.2), metrics(0.3), True, "on the same test days"),
    (metrics(0.3), metrics(0.3), False, "not better than old"),
    (metrics(0.4), metrics(0.3), False, "not better than old"),
    (metrics(0.2), {"wape": None}, True, "does better"),
    (metrics(None, windows={A: None, B: None}), None, True, "Nothing was sold on its test days"),
    (metrics(None, windows={A: None}), metrics(None, windows={B: None}), True, "Nothing was sold"),
    (metrics(None, windows={A: None}), metrics(0.3), False, "it cannot be compared with old"),
    (metrics(0.3, windows={A: 0.3, B: 0.2}), metrics(0.1, windows={B: 0.3}), True, "same test days"),
    (metrics(0.1, windows={B: 0.4}), metrics(0.3, windows={A: 0.1, B: 0.3}), False, "same test days"),
    (metrics(0.3, windows={B: 0.3}, naive=0.6), metrics(0.2, windows={A: 0.2}, naive=0.3), True, OTHER_DAYS),
    (metrics(0.3, windows={B: 0.3}), metrics(0.4, windows={A: 0.4}, naive=0.9), True, OTHER_DAYS),
]
OLD = ("old", metrics(0.1, windows={A: 0.1}))  # its figures are of other days
STALE_CASES = [
    (metrics(0.3), same_days(0.3, 0.4), True, "on the 19 newest days, which old has not learned"),
    (metrics(0.3), same_days(0.31, 0.3), True, "this version has learned since"),
    (metrics(0.3), same_days(0.4, 0.3), False, "on the 19 newest days, which old has not learned"),
    (metrics(0.3), same_days(0.4, 0.38, -0.3, -0.32), True, "32% too low. This version has learned"),
    (metrics(0.3), same_days(0.4, 0.38, 0.3, 0.32), True, "32% too high. This version has learned"),
    (metrics(0.3), same_days(0.6, 0.38, -0.5, -0.32), False, "not better than old"),
    (metrics(0.3, bias=-0.2), same_days(0.4, 0.38, -0.33, -0.32), True, "32% too low"),
    (metrics(0.3, bias=-0.2), same_days(0.3, 0.4, -0.33, -0.05), False, "20.0% too low; at most 10%"),
    (metrics(0.3), same_days(0.3, 0.4, has_learned=True), True, "may have learned"),
    (metrics(0.3), same_days(0.31, 0.3, has_learned=True), True, "knows the newest sales"),
    (metrics(0.3), same_days(0.4, 0.3, has_learned=True), False, "some of which old may have learned"),
]


@pytest.mark.parametrize(("new", "found", "passes", "words"), STALE_CASES)
def test_a_version_that_learned_less_stays_only_if_it_is_clearly_better_on_the_same_newest_days(
    new, found, passes, words
):
    verdict = evaluate_gate(new, OLD, 0.1, found)
    assert verdict.has_passed == passes and words in verdict.text.format(**verdict.values)


@pytest.mark.parametrize(("new", "best", "passes", "words"), CASES)
def test_a_version_passes_only_if_it_beats_last_week_and_the_present_best_without_leaning(
    new, best, passes, words
):
    verdict = evaluate_gate(new, best and ("old", best), 0.1)
    assert verdict.has_passed == passes and words in verdict.text.format(**verdict.values)


def test_a_version_that_is_kept_back_says_why_on_its_page(page, publish, read):
    best, worse = publish(wape=0.2), publish(wape=0.4)
    assert ForecastModel.objects.get().best == best
    text = read(page.get(f"/models/{worse.pk}/"))
    assert "Not put in use after its test." in text
    assert f"It is not better than {best.title}: error 40.0% against 20.0% on the same test days." in text
    assert "Put in use after its test." in read(page.get(f"/models/{best.pk}/"))


def test_while_nothing_is_in_use_one_can_still_forecast_by_choosing_the_version(page, publish, read):
    only = publish(wape=0.9)
    assert ForecastModel.objects.get().best is None
    text = read(page.get(f"/models/{only.pk}/"))
    assert "does not beat repeating last week" in text and "No version of this scope is in use" in text
    form = page.get("/forecast/")
    assert f'value="{only.pk}"' in form.content.decode() and "No model is in use yet" in read(form)
    made = page.post("/forecast/", {"version": only.pk, "product": "P001", "store": "", "horizon": 7})
    assert made.status_code == 302


def test_promoting_by_hand_needs_a_reason_and_is_written_down(page, publish, user, read):
    best, worse = publish(wape=0.2), publish(wape=0.4)
    address = f"/models/{worse.pk}/promote/"
    assert "It was not put in use after its test:" in read(page.get(address))
    assert "Enter a reason" in read(page.post(address, {"reason": "  "}))
    assert ForecastModel.objects.get().best == best
    text = read(page.post(address, {"reason": "{Ana} knows the shop"}, follow=True))
    assert ForecastModel.objects.get().best == worse
    assert "is in use now" in text and "{Ana} knows the shop" in text and user.get_username() in text


def test_rolling_back_is_one_click_to_the_version_before(page, publish, read):
    first, second = publish(wape=0.4), publish(wape=0.2)
    source = page.get(f"/models/{second.pk}/").content.decode()
    assert f'action="/models/{second.pk}/back/"' in source
    text = read(page.post(f"/models/{second.pk}/back/", follow=True))
    assert ForecastModel.objects.get().best == first and f"{first.title} is in use again." in text
    text = read(page.post(f"/models/{first.pk}/back/", follow=True))
    assert "There is no earlier version to go back to." in text
    assert ForecastModel.objects.get().best == first
    assert page.get(f"/models/{first.pk}/back/").status_code == 302


def test_every_change_is_in_the_history_also_when_versions_go(page, publish):
    first, second, worse = publish(wape=0.4), publish(wape=0.2), publish(wape=0.3)
    worse.promote("Try it.", None)
    worse.delete_with_files()
    kinds = list(VersionChange.objects.values_list("kind", "name"))
    assert kinds == [
        ("handed_on", second.name),
        ("promoted", worse.name),
        ("kept_back", worse.name),
        ("published", second.name),
        ("published", first.name),
    ]
    assert ForecastModel.objects.get().best == second
    ModelVersion.objects.get(pk=second.pk).delete_with_files()
    assert ForecastModel.objects.get().best == first
    ModelVersion.objects.get(pk=first.pk).delete_with_files()
    assert ForecastModel.objects.get().best is None


def test_models_are_compared_side_by_side_and_only_what_differs_is_listed(page, publish, read):
    one, two = publish(wape=0.2), publish(wape=0.4)
    ModelVersion.objects.filter(pk=one.pk).update(config={"width": 8, "same": 1})
    ModelVersion.objects.filter(pk=two.pk).update(config={"width": 16, "same": 1})
    response = page.get("/models/compare/", {"v": [one.pk, two.pk, "nonsense"]})
    text = read(response)
    assert one.title in text and two.title in text and "best 20.0%" in text
    assert [row["name"] for row in response.context["settings"]] == ["width"]
    assert len(response.context["tests"]) == len(one.metrics["windows"])
    assert "Select 2 to 4 models" in read(page.get("/models/compare/", {"v": one.pk}))


def test_the_methods_that_auto_tried_are_listed(page, version, read):
    tried = [{"algorithm": "kan", "wape": 0.2}, {"algorithm": "seasonal_naive", "wape": 0.3}]
    ModelVersion.objects.update(metrics={**version.metrics, "leaderboard": tried})
    text = read(page.get(f"/models/{version.pk}/"))
    assert "Methods tried" in text and "30.0%" in text and "Share of the forecast" not in text
    shares = [{**tried[0], "share": 1.0}, {**tried[1], "share": 0.0}]
    told = {"method": "kan", "error": 0.2, "blend_error": 0.25, "is_blend": False}
    told |= {"skipped": ["lstm"], "enough": 300}
    ModelVersion.objects.update(metrics={**version.metrics, "leaderboard": shares, "trials": told})
    text = read(page.get(f"/models/{version.pk}/"))
    assert "KAN has an error of 20.0% and the best blend 25.0%. KAN is used alone." in text
    assert "KAN 20.0% 100%" in text and "Give it 5 minutes to try all methods." in text


@pytest.mark.parametrize("address", ["/models/", "/data/", "/models/compare/"])
@pytest.mark.parametrize(("kind", "start"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK")])
def test_lists_come_as_files(page, publish, address, kind, start):
    versions = [publish(wape=0.2), publish(wape=0.4)]
    response = page.get(address, {"export": kind, "v": [version.pk for version in versions]})
    assert response.content.startswith(start) and f".{kind}" in response["Content-Disposition"]
