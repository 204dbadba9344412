from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command


def test_the_list_names_every_algorithm_with_its_settings(capsys):
    call_command("algorithms", "--json")
    rows = json.loads(capsys.readouterr().out)["algorithms"]
    assert {"name", "label", "description", "settings"} <= set(rows[0])
    assert all(row["settings"] and row["description"] for row in rows)


@pytest.mark.django_db
def test_verify_replays_what_was_learned(version, capsys):
    call_command("algorithms", "--verify", "--json")
    (row,) = json.loads(capsys.readouterr().out)["versions"]
    assert row["name"] == version.name and row["drift"] == 0 and row["problem"] == ""


@pytest.mark.django_db
def test_verify_names_a_version_whose_file_was_changed(version, capsys):
    from registry.storage.artifacts import get_artifact_store

    content = version.read()
    get_artifact_store().delete(version.path)
    with get_artifact_store().open(version.path, "wb") as file:
        file.write(content[:-1] + b"x")
    with pytest.raises(CommandError, match="1 of 1 versions have problems"):
        call_command("algorithms", "--verify")
    assert "changed after it was saved" in capsys.readouterr().out
