"""The form that starts a training, and the live page."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from datetime import timedelta

import pytest

from registry import algorithms
from training.events import RunEvent
from training.models import TrainingRun


@pytest.fixture
def given(sales) -> dict:
    """A form filled in correctly."""
    form = {
        "form_token": str(uuid.uuid4()),
        "dataset": sales.dataset.pk,
        "kind": "product",
        "product": "P001",
    }
    knobs = {f"knob-{knob['name']}": knob["default"] for knob in algorithms.describe_knobs("seasonal_naive")}
    return {**form, "algorithm": "seasonal_naive", "horizon": 28, "budget": 5, "seed": 0, **knobs}


def test_a_valid_form_queues_a_run_and_leads_to_its_live_page(page, given, user):
    response = page.post("/train/", given)
    run = TrainingRun.objects.get()
    assert response.status_code == 302 and response["Location"] == f"/runs/{run.pk}/"
    assert (str(run.scope), run.state, run.horizon, run.created_by) == ("product:P001", "queued", 28, user)


def test_the_same_form_sent_twice_makes_one_run(page, given):
    first, second = page.post("/train/", given), page.post("/train/", given)
    assert first["Location"] == second["Location"] and TrainingRun.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"horizon": 0}, "Choose a number from 1 to 365."),
        ({"horizon": 10_000}, "Choose a number from 1 to 365."),
        ({"horizon": "many"}, "Enter a whole number, like 28."),
        ({"horizon": 200}, "chain has 300 days of sales; 200 days ahead need at least 414."),
        ({"budget": 0}, "Choose a number from 1 to 7200."),
        ({"budget": ""}, "Enter a whole number, like 28."),
        ({"seed": -1}, "Choose a number from 0 to"),
        ({"product": "P999"}, "chain has no “P999”: choose one from the list, like P001 "),
        ({"product": ""}, "choose one from the list"),
        ({"kind": "store", "store": "nowhere"}, "chain has no “nowhere”"),
        ({"kind": "galaxy"}, "Choose one from the list."),
        ({"algorithm": "magic"}, "Choose one from the list."),
        ({"dataset": 999}, "Choose one from the list."),
        ({"form_token": "old"}, "This page is out of date."),
        ({"knob-past_days": 1}, "Choose a number from"),
        ({"knob-past_days": "x"}, "Enter a whole number, like 28."),
    ],
)
def test_a_wrong_answer_gets_one_sentence_and_saves_nothing(page, given, read, change, sentence):
    text = read(page.post("/train/", {**given, **change}))
    assert sentence in text
    assert not TrainingRun.objects.exists()


def test_the_sentence_is_in_the_readers_language(page, given, read):
    page.cookies["django_language"] = "zh-hans"
    assert "请输入 1 到 365 之间的数字。" in read(page.post("/train/", {**given, "horizon": 0}))


def test_every_algorithm_is_offered_with_its_own_knobs(page, sales):
    offered = page.get("/train/").content.decode()
    for name, label in algorithms.list_choices():
        assert f'<option value="{name}"' in offered and label in offered
        knobs = page.get("/train/knobs/", {"algorithm": name}).content.decode()
        for knob in algorithms.describe_knobs(name):
            assert f'name="knob-{knob["name"]}"' in knobs


def test_knobs_reach_the_run(page, given):
    page.post("/train/", {**given, "knob-past_days": 70})
    assert TrainingRun.objects.get().config["past_days"] == 70


def test_settings_that_have_not_arrived_are_filled_in(page, given):
    without = {name: value for name, value in given.items() if not name.startswith("knob-")}
    stale = {**without, "settings-of": "kan", "knob-past_days": 70, "knob-layers": 2}
    for form in (without, stale):
        response = page.post("/train/", {**form, "form_token": str(uuid.uuid4())})
        assert response.status_code == 302
    defaults = {"past_days": 28, "block": 7, "steps": 0}
    assert [run.config for run in TrainingRun.objects.all()] == [defaults, defaults]


def test_an_emptied_setting_is_still_a_mistake(page, given, read):
    text = read(page.post("/train/", {**given, "settings-of": "seasonal_naive", "knob-past_days": ""}))
    assert "Enter a whole number, like 28." in text and not TrainingRun.objects.exists()


def test_a_setting_has_a_short_label_and_its_name_in_the_tooltip(page, sales):
    source = page.get("/train/knobs/", {"algorithm": "kan"}).content.decode()
    assert '<label for="id_knob-layers" title="layers">Layers</label>' in source
    assert "Number of layers." in source and 'name="settings-of" value="kan"' in source


def test_the_suggested_time_follows_the_data_until_somebody_changes_it(page, given, sales, read):
    sales.series = 5000
    sales.save()
    form = {**given, "kind": "global", "algorithm": "auto", "budget": 60, "suggested": 60}
    source = page.get("/train/cost/", form).content.decode()
    found = int(re.search(r'name="suggested" value="(\d+)"', source)[1])
    assert found > 60 and 'id="budget" hx-swap-oob="true"' in source
    source = page.get("/train/cost/", {**form, "budget": 90}).content.decode()
    assert "hx-swap-oob" not in source and "Not tried for lack of time" in source
    assert "Give it" in source and "to try all methods." in source


def test_the_address_can_fill_the_form(page, sales):
    source = page.get(
        "/train/", {"kind": "product", "product": "P002", "dataset": "nonsense"}
    ).content.decode()
    assert 'value="P002"' in source


@pytest.fixture
def run(sales, version) -> TrainingRun:
    return TrainingRun.objects.create(
        dataset_version=sales, algorithm="seasonal_naive", state="running", step="learn"
    )


def test_the_live_page_shows_the_state_without_javascript(page, run, read):
    TrainingRun.objects.filter(pk=run.pk).update(progress=0.42, seconds_left=95, last_seq=2)
    RunEvent.objects.create(run=run, seq=1, kind="log", level="warning", text="Careful.")
    RunEvent.objects.create(
        run=run,
        seq=2,
        kind="epoch",
        data={"step": "learn", "round": 1, "train_error": 0.5, "check_error": 0.61},
    )
    response = page.get(f"/runs/{run.pk}/")
    text = read(response)
    assert "42%" in text and "about 1 min 35 s left" in text and "Careful." in text and "61.0%" in text
    assert f'ws-connect="/ws/runs/{run.pk}/?lang=en"' in response.content.decode()


def test_a_training_that_reads_its_sales_says_so_and_tells_no_time(page, run, sales, read):
    TrainingRun.objects.filter(pk=run.pk).update(step="prepare", seconds_left=30)
    text = read(page.get(f"/runs/{run.pk}/"))
    assert f"Reading {sales.rows:,} rows" in text and "left" not in text
    assert "The curve begins after the first round of training." in text


def test_the_curve_is_titled_by_what_it_tells(page, run, read):
    RunEvent.objects.create(run=run, seq=1, kind="epoch", data={"step": "learn", "train_error": 0.5})
    TrainingRun.objects.filter(pk=run.pk).update(last_seq=1)
    text = read(page.get(f"/runs/{run.pk}/"))
    assert "Is the error still falling?" in text and "when the dashed line stops falling" in text
    TrainingRun.objects.filter(pk=run.pk).update(state="failed", error="Broken.")
    text = read(page.get(f"/runs/{run.pk}/"))
    assert "How it learned" in text and "dashed line" not in text


def test_a_failed_run_says_why_and_offers_another_try(page, run, read):
    TrainingRun.objects.filter(pk=run.pk).update(state="failed", error="There is no memory left.")
    response = page.get(f"/runs/{run.pk}/")
    assert "There is no memory left." in read(response)
    assert b"ws-connect" not in response.content and b"kind=global" in response.content


def test_a_finished_run_leads_to_its_version(page, run, version):
    TrainingRun.objects.filter(pk=run.pk).update(state="done", version=version)
    source = page.get(f"/runs/{run.pk}/").content.decode()
    assert f"/forecast/?version={version.pk}" in source and version.title in source


def test_stopping_asks_first(page, run, read):
    assert "Stop this training?" in read(page.get(f"/runs/{run.pk}/cancel/"))
    assert not TrainingRun.objects.get(pk=run.pk).cancel_requested
    page.post(f"/runs/{run.pk}/cancel/")
    stopped = TrainingRun.objects.get(pk=run.pk)
    assert stopped.cancel_requested or stopped.state == "cancelled"


def test_finishing_now_asks_first(page, run, read):
    assert "Finish this training now?" in read(page.get(f"/runs/{run.pk}/finish/"))
    assert "Finish now and keep the result" in read(page.get(f"/runs/{run.pk}/"))
    page.post(f"/runs/{run.pk}/finish/")
    assert TrainingRun.objects.get(pk=run.pk).finish_requested
    assert "finishing with what it has learned" in read(page.get(f"/runs/{run.pk}/"))


@pytest.mark.parametrize(
    ("action", "title", "sentence", "button"),
    [
        ("cancel", "Stop this training?", "Progress so far will be lost.", "Yes, stop it"),
        ("finish", "Finish this training now?", "will be tested and saved.", "Yes, finish it"),
        ("again", "Start this training again?", "will be queued.", "Yes, start it again"),
    ],
)
def test_a_confirmation_names_what_will_happen_and_the_way_back(page, run, action, title, sentence, button):
    response = page.get(f"/runs/{run.pk}/{action}/")
    assert next(template.name for template in response.templates) == "confirm.html"
    source = response.content.decode()
    assert f"<h1>{title}</h1>" in source and f"{sentence}</p>" in source
    assert f'<button class="danger">{button}</button>' in source
    assert f'<a class="button" href="/runs/{run.pk}/" data-cancel>' in source
    assert TrainingRun.objects.count() == 1 and TrainingRun.objects.get().state == run.state


def test_whole_numbers_have_the_same_limits_and_sentences_in_both_forms():
    from prediction.forecast_page.forms import ForecastForm
    from training.forms import TrainForm

    fields = [form.base_fields["horizon"] for form in (ForecastForm, TrainForm)]
    first, second = (
        [
            [str(v.message) for v in f.validators],
            f.widget.attrs,
            {k: str(v) for k, v in f.error_messages.items()},
        ]
        for f in fields
    )
    assert first == second and first[1] == {"min": 1, "max": 365}
    assert "Choose a number from 1 to 365." in first[0]


def test_the_form_knows_how_many_days_a_training_needs_without_torch():
    code = "import sys, training.learning.defaults as d; print(d.required_days(28), 'torch' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["70", "False"]


def test_a_button_of_the_live_page_answers_with_its_fragment(page, run):
    source = page.post(f"/runs/{run.pk}/finish/", headers={"HX-Request": "true"}).content.decode()
    assert source.lstrip().startswith('<div id="actions"') and "finishing with what it has learned" in source


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_that_did_not_get_through_is_started_again_with_one_click(page, run, state, user):
    TrainingRun.objects.filter(pk=run.pk).update(state=state, horizon=7, budget=9)
    assert f'hx-post="/runs/{run.pk}/again/"' in page.get(f"/runs/{run.pk}/").content.decode()
    answers = [page.post(f"/runs/{run.pk}/again/", headers={"HX-Request": "true"}) for _click in range(2)]
    again = TrainingRun.objects.exclude(pk=run.pk).get()
    assert {answer["HX-Redirect"] for answer in answers} == {f"/runs/{again.pk}/"}
    assert (again.horizon, again.budget, again.created_by, again.state) == (7, 9, user, "queued")


def test_a_full_queue_is_one_clear_sentence_at_the_form_and_on_the_live_page(page, given, run, read):
    for _number in range(5):
        page.post("/train/", {**given, "form_token": str(uuid.uuid4())})
    sentence = "You already have 5 trainings waiting. Let one start, or stop one on the queue page."
    assert sentence in read(page.post("/train/", {**given, "form_token": str(uuid.uuid4())}))
    assert sentence in read(page.post(f"/runs/{run.pk}/again/", follow=True))
    assert TrainingRun.objects.filter(state="queued").count() == 5


def test_the_queue_shows_who_waits_where(page, given, run, read, admin_page):
    admin_page.post("/train/", given)
    for _number in range(2):
        page.post("/train/", {**given, "form_token": str(uuid.uuid4())})
    text = read(page.get("/runs/"))
    assert re.search(r" 1 .*boss.* 2 .*ana.* 3 .*ana", text) and "2 of 5 waiting places are yours" in text
    part = page.get("/runs/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "boss" in part


def test_an_empty_queue_says_so(page, sales, read):
    assert "a training would start at once" in read(page.get("/runs/"))


def test_the_cost_is_told_before_the_start_and_held_against_the_truth_after(page, given, read):
    text = read(page.get("/train/cost/", given))
    assert re.search(r"Total about \d+ seconds ?, of which \d seconds training; about \d+ MB of memory", text)
    assert "The newest 3 × 28 days are held back to test the model." in text
    assert "Total about" not in read(page.get("/train/cost/", {**given, "product": "P999"}))
    page.post("/train/", given)
    run = TrainingRun.objects.get()
    begun = run.created_at
    TrainingRun.objects.filter(pk=run.pk).update(
        state="done", started_at=begun, finished_at=begun + timedelta(seconds=65), memory_mb=812
    )
    text = read(page.get(f"/runs/{run.pk}/"))
    assert "It took 1 min 5 s (estimated: 13 seconds) and 812 MB of memory (estimated: 550)." in text


def test_a_finished_training_says_whether_its_version_is_in_use(page, publish, sales, read):
    publish(wape=0.2)
    worse = publish(wape=0.4)
    run = TrainingRun.objects.create(
        dataset_version=sales, algorithm="seasonal_naive", state="done", version=worse
    )
    text = read(page.get(f"/runs/{run.pk}/"))
    assert "Not put in use after its test. It is not better than" in text
