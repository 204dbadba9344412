"""Large uploads are checked and saved by jobs: shown, stopped, asked about, and safe from lost processes."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from registry.datasets.importing.batches import encoded
from registry.datasets.importing.formats import csv_reader, readers
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.progress import Progress, ProgressReport, read_progress
from registry.datasets.importing.sandbox import launcher
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.upload_jobs.models import UploadJob
from registry.datasets.upload_jobs.tasks import run_upload_job
from registry.datasets.uploads import Upload

pytestmark = pytest.mark.django_db
DAYS = [f"2026-03-{day:02}" for day in range(1, 29)]
SALES = "date,store_id,product_id,sales\n" + "".join(f"{day},S1,P1,5\n" for day in DAYS)
UNCLEAR = "date,store_id,product_id,sales\n" + "".join(f"0{day}/03/2026,S1,P1,5\n" for day in range(1, 9))


@pytest.fixture(autouse=True)
def every_file_is_large(settings) -> None:
    settings.QUEUED_UPLOAD_MB = 0


def send(page, content: str = SALES, **fields):
    return page.post("/data/upload/", {"file": SimpleUploadedFile("till.csv", content.encode()), **fields})


def match(page, **answers) -> UploadJob:
    """Sends the form of the columns as it is shown; the job of the check."""
    address = reverse("upload-match", args=[Upload.objects.get().pk])
    form = page.get(address).context["form"]
    response = page.post(address, {name: form[name].initial or "" for name in form.fields} | answers)
    job = UploadJob.objects.latest("queued_at")
    assert response.url == reverse("upload-job", args=[job.pk])
    return job


def work(job: UploadJob) -> UploadJob:
    run_upload_job(str(job.pk))
    job.refresh_from_db()
    return job


def open_job(page, job: UploadJob, **headers):
    return page.get(reverse("upload-job", args=[job.pk]), headers=headers)


def test_a_large_file_is_checked_and_saved_by_jobs_whose_pages_lead_on(page, read):
    send(page)
    job = match(page)
    assert "Waiting for its turn." in read(open_job(page, job)) and OrmQ.objects.count() == 1
    assert reverse("upload-job", args=[job.pk]) in page.get("/data/upload/").content.decode()
    check = reverse("upload-check", args=[Upload.objects.get().pk])
    assert work(job).is_done and open_job(page, job).url == check
    assert open_job(page, job, **{"HX-Request": "true"})["HX-Redirect"] == check
    assert not DatasetVersion.objects.exists()
    saving = UploadJob.objects.get(pk=page.post(check).url.split("/")[-2])
    assert work(saving).version == DatasetVersion.objects.get() and saving.version.rows == len(DAYS)
    assert open_job(page, saving).url == reverse("dataset", args=[saving.version.dataset_id])
    assert not Upload.objects.exists()


def test_newer_days_of_known_columns_are_checked_without_matching(page):
    send(page)
    work(match(page))
    work(
        UploadJob.objects.get(
            pk=page.post(reverse("upload-check", args=[Upload.objects.get().pk])).url.split("/")[-2]
        )
    )
    response = send(page, SALES.replace("2026-03", "2026-04"), dataset=Dataset.objects.get().pk)
    assert response.url == reverse("upload-job", args=[UploadJob.objects.latest("queued_at").pk])


def test_a_question_of_a_job_is_asked_on_the_page_of_the_columns(page, read):
    send(page, UNCLEAR)
    job = work(match(page))
    address = open_job(page, job).url
    assert address == reverse("upload-match", args=[Upload.objects.get().pk])
    assert job.stage == "failed" and job.error in read(page.get(address)) and "2026" in job.error
    assert work(match(page, dates="dmy")).is_done


def test_while_a_job_goes_on_the_upload_is_not_changed_and_a_second_click_starts_none(page):
    send(page)
    job = match(page)
    upload = Upload.objects.get()
    for name in ("upload-match", "upload-check"):
        assert page.get(reverse(name, args=[upload.pk])).url == reverse("upload-job", args=[job.pk])
    assert UploadJob.objects.start(upload, "save") == job


def test_a_stopped_job_ends_its_process_and_can_be_started_again(page, read, monkeypatch):
    send(page)
    job = match(page)

    def stop_in_between(given):
        page.post(reverse("upload-job-stop", args=[job.pk]))
        launcher.WATCH.get()(Progress("read", 5, 10))
        raise AssertionError("The watch lets a stopped job go on.")

    with monkeypatch.context() as patch:
        patch.setattr(launcher, "run_in_sandbox", stop_in_between)
        work(job)
    assert (job.stage, job.attempt_token) == ("failed", None) and "hash" not in Upload.objects.get().report
    assert "You stopped it." in read(page.get(open_job(page, job).url))
    assert work(match(page)).is_done


def test_a_discarded_upload_does_not_come_back_when_its_check_ends(page, monkeypatch):
    send(page)
    job, read_file = match(page), launcher.run_in_sandbox

    def discard_in_between(given):
        report = read_file(given)
        page.post(reverse("upload-discard", args=[Upload.objects.get().pk]))
        return report

    monkeypatch.setattr(launcher, "run_in_sandbox", discard_in_between)
    assert work(job).stage == "failed" and not Upload.objects.exists()


def lose(job: UploadJob) -> None:
    """As if the process of the job had died."""
    UploadJob.objects.filter(pk=job.pk).update(stage="running", attempt=job.attempt + 1, attempt_token=job.pk)
    UploadJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    UploadJob.objects.expire_lost()
    job.refresh_from_db()


def test_a_job_whose_process_died_is_queued_again_once_then_fails_with_a_sentence(page, read):
    send(page)
    job = match(page)
    lose(job)
    assert job.stage == "queued" and OrmQ.objects.count() == 2
    lose(job)
    assert job.stage == "failed" and "lost twice" in read(page.get(open_job(page, job).url))


def die(*_given) -> None:
    raise KeyboardInterrupt


def test_a_file_is_saved_once_although_the_process_that_saved_it_died_before_it_could_say_so(
    page, monkeypatch
):
    send(page)
    work(match(page))
    upload = Upload.objects.get()
    job = UploadJob.objects.start(upload, "save")
    monkeypatch.setattr(Upload, "delete_with_files", die)
    with pytest.raises(KeyboardInterrupt):
        run_upload_job(str(job.pk))
    job.refresh_from_db()
    assert job.is_done and job.version == DatasetVersion.objects.get()
    run_upload_job(str(job.pk))
    assert DatasetVersion.objects.count() == 1


def test_a_save_that_lost_its_job_saves_nothing(page, monkeypatch):
    send(page)
    work(match(page))
    job = UploadJob.objects.start(Upload.objects.get(), "save")
    monkeypatch.setattr(UploadJob, "finish", lambda self, **outcome: False)
    assert work(job).stage == "failed"
    assert not DatasetVersion.objects.exists() and Upload.objects.exists()


def test_a_program_imports_a_file_by_one_job(user):
    options = {"on_problem": "skip", "country": "DE"}
    bad = SALES + "2026-04-31,S1,P1,4\n"
    facts = {"file": "till.csv", "name": "shop", "created_by": user, "reading": options}
    upload = Upload.objects.create_from_chunks([bad.encode()], ".csv", **facts)
    job = work(UploadJob.objects.start(upload, "import"))
    assert job.is_done and job.version.rows == len(DAYS) and job.version.dataset.country == "DE"
    assert not Upload.objects.exists()
    facts["reading"] = {"on_problem": "stop"}
    job = work(
        UploadJob.objects.start(Upload.objects.create_from_chunks([bad.encode()], ".csv", **facts), "import")
    )
    assert job.stage == "failed" and "2026-04-31" in job.error_text


def test_progress_is_told_in_bytes_and_rows(user):
    job = UploadJob(task="check", stage="running")
    job.step, job.done, job.total = "read", 3 << 20, 12 << 20
    assert job.progress_text.replace("\xa0", " ") == "Reading: 3.0 MB of 12.0 MB"
    job.step, job.done, job.total = "check", 1_234_567, 0
    assert "rows kept" in job.progress_text and "234" in job.progress_text


def test_the_process_reports_what_it_does(tmp_path):
    report = ProgressReport()
    report.note("read", 1)  # not open yet
    assert read_progress(tmp_path) is None
    report.open(tmp_path)
    for step, done in (("read", 5), ("read", 6), ("sort", 7)):
        report.note(step, done, 10)
    assert read_progress(tmp_path) == Progress("sort", 7, 10)


def test_of_a_large_file_only_the_first_rows_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_reader, "LARGE_BYTES", 1 << 10)
    monkeypatch.setattr(readers, "LARGE_BYTES", 1 << 10)
    monkeypatch.setattr(readers, "LOOK_BYTES", 1 << 10)
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(encoded, "SAMPLE_ROWS", 20)
    text = SALES + SALES.partition("\n")[2] * 300
    (tmp_path / "till.csv").write_text(text)
    (tmp_path / "till.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("till.csv", "till.csv.gz"):
        with readers.read_file(tmp_path / name, may_guess=True) as raw:
            assert raw.row_count == 0 and 20 <= raw.table.num_rows < 200
            assert set(raw.table["sales"].to_pylist()) == {"5"}
    with readers.read_file(tmp_path / "till.csv") as raw:
        assert raw.row_count == 301 * len(DAYS)


@pytest.mark.processes
def test_the_process_that_reads_is_ended_when_nobody_wants_its_result(tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "WATCH_SECONDS", 0.02)
    (tmp_path / "till.csv").write_text(SALES)
    told: dict[str, str] = {"path": str(tmp_path / "till.csv"), "name": "till.csv", "folder": str(tmp_path)}
    job = ImportJob(reading=ImportOptions(), **told)

    def stop(_progress: Progress | None) -> None:
        raise ValueError("Stopped.")

    with launcher.watched_by(stop), pytest.raises(ValueError, match="Stopped"):
        launcher.run_in_sandbox(job)
    assert not (tmp_path / "report.json").exists()
    seen: list[Progress | None] = []
    with launcher.watched_by(seen.append):
        assert launcher.run_in_sandbox(job)["rows"] == len(DAYS)
    last = read_progress(tmp_path)
    assert seen and last == Progress("write", len(DAYS), len(DAYS))
