"""Why a version is in use, and the choices by hand that a training replaced."""

from __future__ import annotations

from registry.datasets.models import Dataset
from registry.model_versions.activation import list_replaced_choices


def test_the_page_of_a_version_put_in_use_by_hand_says_who_when_and_why(page, publish, user, read):
    publish(wape=0.2)
    worse = publish(wape=0.4)
    worse.promote("Owner wants the blend", user)
    text = read(page.get(f"/models/{worse.pk}/"))
    assert f"Put in use by {user.get_username()}," in text and "Owner wants the blend" in text
    assert "Not put in use after its test." not in text
    assert "It was not put in use after its test:" in text  # the test's verdict stays readable


def test_a_training_that_replaces_a_choice_by_hand_needs_attention(page, publish, user, read):
    publish(wape=0.2)
    chosen = publish(wape=0.4)
    chosen.promote("Owner wants the blend", user)
    dataset = Dataset.objects.get()
    assert not list(list_replaced_choices(dataset))
    newer = publish(wape=0.1)
    found = list(list_replaced_choices(dataset))
    assert [(row.choice.version, row.change.version) for row in found] == [(chosen, newer)]
    text = read(page.get("/"))
    sentence = f"{newer.title} has replaced {chosen.title}, which {user.get_username()} had put in use"
    assert sentence in text and "Owner wants the blend" in text
    newer.promote("It is better.", user)
    assert not list(list_replaced_choices(dataset)), "somebody has decided since"


def test_the_page_of_a_version_shows_the_worst_test_beside_the_mean_and_leads_to_its_parts(
    page, version, read
):
    response = page.get(f"/models/{version.pk}/")
    rows = {row["measure"].key: row for row in response.context["measures"]}
    windows = version.metrics["windows"]
    assert rows["wape"]["worst"] == max(window["wape"] for window in windows)
    assert abs(rows["bias"]["worst"]) == max(abs(window["bias"]) for window in windows)
    text = response.content.decode()
    assert "Worst test" in text and "The ranges of each test were set by the other tests." in read(response)
    for anchor in ("results", "windows", "errors-products", "origin", "changes"):
        assert f'href="#{anchor}"' in text and f'id="{anchor}"' in text


def test_the_page_of_a_version_that_was_replaced_says_by_which(page, publish, read):
    first, second = publish(wape=0.4), publish(wape=0.2)
    assert f"Replaced by {second.title}," in read(page.get(f"/models/{first.pk}/"))
    assert "Replaced by" not in read(page.get(f"/models/{second.pk}/"))
