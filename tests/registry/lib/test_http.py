"""One page asks before anything irreversible; every app renders it through the same function."""

from __future__ import annotations

import pytest

from tests.helpers.source_tree import texts


def test_only_one_function_renders_the_confirmation():
    users = [str(path) for path, text in texts() if path.suffix == ".py" and '"confirm.html"' in text]
    assert [path for path in users if not path.startswith("tests/")] == ["registry/lib/http.py"]


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/models/{version}/delete/", "/models/{version}/"),
        ("/data/version/{data}/back/", "/data/{dataset}/"),
    ],
)
def test_the_confirmation_has_title_sentence_button_and_way_back(page, version, path, back):
    data = version.dataset_version
    values = {"version": version.pk, "data": data.pk, "dataset": data.dataset_id}
    response = page.get(path.format(**values))
    asked, source = response.context, response.content.decode()
    assert response.templates[0].name == "confirm.html" and '<form method="post"' in source
    assert f"<h1>{asked['title']}</h1>" in source and f"<p>{asked['sentence']}</p>" in source
    assert f'<button class="danger">{asked["button"]}</button>' in source
    assert asked["title"].endswith("?") and f'href="{back.format(**values)}"' in source
