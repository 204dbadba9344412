"""The methods that the automatic choice tries: a row and a colour each, and a sentence about the choice."""

from __future__ import annotations

import re

import pytest

from registry.labels import describe_choice, describe_skipped
from tests.helpers.fake_training import epoch
from training import leases
from training.events import RunEvent
from training.learning.progress import Progress
from training.learning.trials import Trials
from training.live_updates import ViewerPermissions, render_snapshot, render_update
from training.models import TrainingRun
from training.process.exit_reasons import explain_exit
from training.trial_table import build_trial_table

ALL = ViewerPermissions(may_steer=True, may_train=True, may_forecast=True)
CHOICE = {"method": "trees", "error": 0.608, "blend_error": 0.579, "is_blend": True}


def learn(trials: Trials, name: str, number: int, check: float) -> Progress:
    """A round of one method."""
    errors = {"method": name, "round": number, "error": check + 0.1, "check": check}
    trials[name].record_round("learn", 0.1 * number, errors)
    return Progress("learn", number, 0.3, None, check + 0.1, check, "", errors, trials.to_json())


def read_html(html: str) -> str:
    """The text without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def trials() -> Trials:
    return Trials.plan(["seasonal_naive", "trees", "kan"], ["lstm", "tide"], 300)


@pytest.mark.django_db
def test_each_method_has_a_row_and_a_line_of_its_own(claimed, trials):
    trials["trees"].record_end("learn")
    reports = [learn(trials, "trees", 1, 0.4), learn(trials, "kan", 1, 0.5), learn(trials, "kan", 2, 0.45)]
    claimed.record_progress(reports)
    html = render_snapshot(claimed.pk, "en", ALL).html
    text = read_html(html)
    assert "Boosted trees learning" in text and "KAN learning 20% 45.0%" in text
    assert "Seasonal naive waiting – – –" in text
    assert "Not tried for lack of time: LSTM, TiDE. Give it 5 minutes to try all methods." in text
    assert html.count('data-tone="m3"') == 2 and html.count('data-tone="m2"') == 1
    assert 'data-label="KAN"' in html


@pytest.mark.django_db
def test_an_update_brings_the_rows_anew(claimed, trials):
    seen = claimed.last_seq
    claimed.record_progress([learn(trials, "kan", 1, 0.5)])
    update = render_update(claimed, seen, "en", ALL)
    assert 'id="methods" class="card" hx-swap-oob="true"' in update.html
    assert "KAN learning 10% 50.0%" in read_html(update.html)


@pytest.mark.django_db
def test_at_the_end_the_rows_say_who_forecasts(claimed, trials):
    for name, error in (("seasonal_naive", 0.9), ("trees", 0.608), ("kan", 0.62)):
        trials[name].record_test(error)
    trials.record_choice({"seasonal_naive": 0.0, "trees": 0.55, "kan": 0.45}, CHOICE)
    claimed.record_progress([Progress("save", progress=0.99, text="Saving", trials=trials.to_json())])
    TrainingRun.objects.filter(pk=claimed.pk).update(state="done")
    text = read_html(render_snapshot(claimed.pk, "en", ALL).html)
    assert "Boosted trees used – 60.8% 55%" in text and "Seasonal naive not used – 90.0% 0%" in text
    assert "the blend has an error of 57.9%; the best single method, Boosted trees, has 60.8%" in text


@pytest.mark.django_db
def test_a_training_that_ended_early_leaves_no_method_learning(claimed, trials):
    claimed.record_progress([learn(trials, "kan", 1, 0.5)])
    claimed.mark_failed("Broken.")
    states = {row.name: row.state for row in build_trial_table(claimed).rows}
    assert states == {"seasonal_naive": "skipped", "trees": "skipped", "kan": "interrupted"}


@pytest.mark.django_db
def test_one_method_and_trainings_of_before_have_no_rows(claimed):
    claimed.record_progress([epoch(1)])
    RunEvent.objects.filter(kind="epoch").update(data={"step": "learn", "round": 1, "train_error": 0.5})
    html = render_snapshot(claimed.pk, "en", ALL).html
    assert '<section id="methods" hidden></section>' in html and 'data-tone=""' in html and "50.0%" in html


@pytest.mark.django_db
def test_what_is_stored_with_each_round_stays_small(claimed, trials):
    reports = [learn(trials, "kan", number, 0.5) for number in range(1, 200)]
    claimed.record_progress(reports)
    largest = max(len(str(event.data)) for event in RunEvent.objects.filter(kind="epoch"))
    assert largest < 200 and len(str(claimed.trials)) < 1000


@pytest.mark.django_db
def test_a_training_that_is_tried_again_does_not_ask_anybody_to_start_it(claimed):
    leases.handle_crash(claimed, explain_exit(-9, "", 6000))
    lines = list(claimed.events.order_by("seq").values_list("text", flat=True))
    assert "Another program killed the training." in lines and "Retrying from the last checkpoint." in lines
    assert not any("start it again" in line for line in lines)


@pytest.mark.django_db
def test_a_training_that_is_not_tried_again_says_what_to_do(claimed):
    TrainingRun.objects.filter(pk=claimed.pk).update(attempt=TrainingRun.MAX_ATTEMPTS)
    claimed.refresh_from_db()
    leases.handle_crash(claimed, explain_exit(-9, "", 6000))
    assert claimed.error_text.endswith("then start it again.")


@pytest.mark.django_db
def test_a_claimed_training_prepares_at_once(claimed):
    assert claimed.step == "prepare"
    line = claimed.events.get(text="Reading {rows} rows")
    assert line.data == {"rows": claimed.dataset_version.rows}


def test_the_sentence_names_both_errors_whatever_was_chosen():
    alone = {**CHOICE, "is_blend": False, "blend_error": 0.631}
    assert describe_choice(alone) == (
        "On the held-back days Boosted trees has an error of 60.8% and the best blend 63.1%. "
        "Boosted trees is used alone."
    )
    assert "the ranges of the blend fit worse" in describe_choice({**alone, "blend_error": 0.6})
    assert not describe_choice({**alone, "blend_error": None})
    assert not describe_choice({}) and not describe_skipped({})
