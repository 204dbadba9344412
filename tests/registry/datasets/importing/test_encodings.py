"""Text files that are not UTF-8: asked about with samples, on the page and in the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from registry.datasets.importing.formats.encoding_candidates import propose_encodings
from registry.datasets.models import Dataset
from registry.datasets.uploads import Upload
from tests.registry.datasets.importing.odd_files import FILES

NAMES = {"cyrillic-cp1251": "Ибупрофен 200 мг", "japanese-shift-jis": "おにぎり 鮭", "polish-cp1250": "Łosoś"}
CONTENT = {file.name: file for file in FILES if file.kind == "encodings"}
ASKED = [name for name, file in CONTENT.items() if file.answers and not name.startswith("utf-16")]


@pytest.mark.parametrize("name", ASKED)
def test_the_right_encoding_is_among_the_first_four_candidates(name: str, tmp_path: Path) -> None:
    file = CONTENT[name]
    path = tmp_path / "x.csv"
    path.write_bytes(file.make())
    candidates = propose_encodings(path, file.make(), file.make())
    (right,) = file.answers
    texts = [file.make().decode(one.name) for one in candidates[:4]]
    assert file.make().decode(right) in texts


def test_samples_show_the_words_in_which_two_encodings_differ(tmp_path: Path) -> None:
    lines = [
        "Dátum\tÜzlet\tCikkszám\tEladás",
        *(f"2025-09-{day:02d}\tGyőr\tAlma\t{day}" for day in range(1, 29)),
    ]
    content = "\n".join(lines).encode("cp1250")
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    samples = {one.name: one.sample for one in propose_encodings(path, content, content)}
    assert "Győr" in samples["cp1250"] and "Gyõr" in samples["cp1252"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_the_page_asks_for_the_encoding_and_shows_the_columns_in_it(name: str, admin_page) -> None:
    file = CONTENT[name]
    (right,) = file.answers
    data = {"file": SimpleUploadedFile("x.csv", file.make()), "name": "Sales", "country": ""}
    shown = admin_page.post(reverse("upload"), data, follow=True)
    upload = Upload.objects.get()
    assert NAMES[name] in shown.content.decode() or upload.report["shown_encoding"] != right
    columns = {f"column-{place}": column["is"] for place, column in enumerate(upload.report["columns"])}
    shown = admin_page.post(reverse("upload-match", args=[upload.pk]), columns)
    assert "is not UTF-8" in shown.content.decode()
    answer = {**columns, "encoding": right}
    shown = admin_page.post(reverse("upload-match", args=[upload.pk]), answer, follow=True)
    if shown.resolver_match.view_name == "upload-match":  # shown in another one before
        shown = admin_page.post(reverse("upload-match", args=[upload.pk]), answer, follow=True)
    assert shown.resolver_match.view_name == "upload-check"
    upload.refresh_from_db()
    assert NAMES[name] in upload.report["products"]


@pytest.mark.django_db
def test_the_command_asks_for_the_encoding_and_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(CONTENT["cyrillic-cp1251"].make())
    with pytest.raises(CommandError, match=r"--encoding cp1251 \|"):
        call_command("import_sales", path, name="Sales")
    call_command("import_sales", path, name="Sales", encoding="cp1251")
    assert Dataset.objects.get().current_version.products[0].startswith("Ибупрофен")
