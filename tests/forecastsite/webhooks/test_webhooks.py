"""Webhooks: written with the event, signed, at least once, in order, never into our own network."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from forecastsite.webhooks import sending, transport
from forecastsite.webhooks.models import DELAYS, Delivery, EventKind, Webhook
from forecastsite.webhooks.outbox import write_event
from forecastsite.webhooks.sending import ask_for_due, send_due
from forecastsite.webhooks.transport import Undeliverable, is_allowed, post
from prediction.models import AccuracyAlert, ForecastRun
from prediction.order_runs.decisions import approve_lines
from prediction.order_runs.maker import prepare_order, save_order
from prediction.tasks import make_order_run
from registry.datasets.importer import import_file
from tests.helpers import small_files
from training import leases

ALL = [kind.value for kind in EventKind]


class Receiver:
    """A program that is told something: keeps what it got, answers with `status`."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook?from=us"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def events(self) -> list[dict]:
        return [json.loads(body) for _headers, body in self.got]


@pytest.fixture
def receiver():
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def hook(db, receiver, settings) -> Webhook:
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    return Webhook.objects.create(name="ERP", address=receiver.address, kinds=ALL)


def happen(number: int = 1, kind: EventKind = EventKind.TRAINING_ENDED) -> None:
    write_event(kind, {"number": number})


def make_due() -> None:
    Delivery.objects.filter(state="waiting").update(next_at=timezone.now())


def test_an_event_is_delivered_once_with_a_signature_that_the_receiver_can_check(hook, receiver):
    happen()
    assert OrmQ.objects.get().func() == "forecastsite.webhooks.sending.send_due"
    send_due()
    send_due()
    ((headers, body),) = receiver.got
    assert Verifier(hook.secret).verify(body, headers)["data"] == {"number": 1}
    with pytest.raises(WebhookVerificationError):
        Verifier(Webhook().secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(hook.secret).verify(body.replace(b"1", b"2"), headers)
    assert Delivery.objects.get().state == "delivered"


def test_an_event_that_is_rolled_back_was_never_there(hook):
    with pytest.raises(RuntimeError), transaction.atomic():
        happen()
        raise RuntimeError
    assert not Delivery.objects.exists() and not OrmQ.objects.exists()


def test_only_those_who_want_an_event_are_told(hook):
    Webhook.objects.create(name="off", address="https://x.example", kinds=ALL, is_enabled=False)
    Webhook.objects.create(name="other", address="https://x.example", kinds=["alert.opened"])
    happen()
    assert [row.webhook for row in Delivery.objects.all()] == [hook]


def test_a_receiver_that_was_down_gets_every_event_in_order(hook, receiver):
    receiver.status = 500
    for number in range(5):
        happen(number)
        send_due()
    assert [event["data"]["number"] for event in receiver.events] == [0]  # the others wait for the first
    hook.refresh_from_db()
    assert hook.failing_since and "status 500" in Delivery.objects.last().problem
    receiver.status, before = 200, len(receiver.got)
    make_due()
    send_due()
    assert [event["data"]["number"] for event in receiver.events[before:]] == [0, 1, 2, 3, 4]
    ids = [headers["webhook-id"] for headers, _body in receiver.got]
    assert ids[0] == ids[1] and len(set(ids)) == 5
    hook.refresh_from_db()
    assert hook.failing_since is None


def test_another_kind_does_not_wait(hook, receiver):
    receiver.status = 500
    happen(1)
    send_due()
    receiver.status = 200
    happen(2, EventKind.ALERT_OPENED)
    send_due()
    assert receiver.events[-1]["data"] == {"number": 2}


def test_attempts_are_further_and_further_apart_and_end_after_five_days(hook, receiver):
    receiver.status = 503
    happen()
    for delay in DELAYS:
        make_due()
        send_due()
        left = Delivery.objects.get().next_at - timezone.now()
        assert timedelta(seconds=delay - 5) < left <= timedelta(seconds=delay)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=5, seconds=1))
    make_due()
    send_due()
    hook.refresh_from_db()
    assert not hook.is_enabled and not Delivery.objects.due().exists()
    receiver.status = 200
    sending.switch(hook, True)
    send_due()
    assert Delivery.objects.get().state == "delivered"


def test_a_receiver_that_is_gone_is_switched_off_at_once(hook, receiver):
    receiver.status = 410
    happen()
    send_due()
    hook.refresh_from_db()
    assert not hook.is_enabled


def test_a_process_that_dies_while_sending_loses_nothing(hook, receiver):
    happen()
    assert Delivery.objects.due().get().claim(60)
    send_due()
    assert not receiver.got
    make_due()  # a minute later
    OrmQ.objects.all().delete()
    ask_for_due()
    assert OrmQ.objects.count() == 1
    send_due()
    assert len(receiver.got) == 1


def test_two_processes_do_not_send_the_same_at_once(hook):
    happen()
    first, second = Delivery.objects.get(), Delivery.objects.get()
    assert (first.claim(60), second.claim(60)) == (True, False)


def test_redirects_are_not_followed(hook, receiver):
    receiver.status = 302
    happen()
    send_due()
    assert Delivery.objects.get().status == 302 and len(receiver.got) == 1


@pytest.mark.parametrize(
    ("address", "scheme", "allowed"),
    [
        ("93.184.216.34", "https", True),
        ("2606:2800:220:1:248:1893:25c8:1946", "https", True),
        ("93.184.216.34", "http", False),
        *((private, "https", False) for private in (
            "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
            "::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "224.0.0.1", "ff02::1",
        )),
    ],
)  # fmt: skip
def test_only_public_addresses_over_https_are_allowed(address, scheme, allowed):
    assert is_allowed(address, scheme) == allowed


def test_private_addresses_are_refused_before_anything_is_sent(receiver):
    with pytest.raises(Undeliverable, match="is a private address"):
        post(receiver.address, b"{}", {})
    assert not receiver.got


def test_a_name_with_a_private_address_among_others_is_refused(monkeypatch, receiver):
    monkeypatch.setattr(transport, "resolve", lambda host, port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(Undeliverable, match="is a private address"):
        post("https://rebound.example/", b"{}", {})


@pytest.mark.parametrize(
    "address", ["ftp://x.example", "https://", "https://[", "x", "https://x.example:99999"]
)
def test_what_is_no_address_is_told(address):
    with pytest.raises(Undeliverable):
        post(address, b"{}", {})


# --- what happens is told ---------------------------------------------------------------------------
def told() -> list[str]:
    return [row.kind for row in Delivery.objects.order_by("pk")]


def test_sales_are_told_of_once(hook, chain_file):
    for _time in range(2):
        version = import_file(chain_file, "another chain")
    assert told() == ["dataset.version_ready"]
    assert Delivery.objects.get().payload["data"]["id"] == str(version.pk)


def test_versions_in_use_and_forecasts_are_told_of(version, hook):
    version.promote("Try it.", None)
    found = Delivery.objects.get().payload["data"]
    assert (found["id"], found["how"]) == (str(version.pk), "promoted")
    run = ForecastRun.objects.create(version=version, dataset_version=version.dataset_version)
    assert run.claim() and run.finish(origin=version.dataset_version.last)
    found = Delivery.objects.get(kind="forecast_run.ready").payload["data"]
    dataset, origin = version.model.dataset_id, str(version.dataset_version.last)
    assert found == {"id": str(run.pk), "dataset": dataset, "origin": origin}


def test_the_end_of_a_training_is_told_of_with_its_reason(hook, ask):
    run = leases.claim_run(ask().pk, 1, "here")
    run.mark_failed("No memory.")
    data = Delivery.objects.get().payload["data"]
    assert (data["state"], data["error"]) == ("failed", "No memory.")


def test_orders_and_alerts_are_told_of(sales, version, make_run, hook):
    make_run(version)
    small_files.stock(sales)
    order = save_order(prepare_order(sales.dataset))
    make_order_run(str(order.pk))
    order.refresh_from_db()
    assert told()[-1] == "order_run.ready"
    approve_lines(order, range(order.lines), None)
    assert told()[-1] == "order_run.approved"
    AccuracyAlert.objects.create(
        dataset=sales.dataset, kind="bias", first=sales.first, last=sales.last, weeks=2, change=0.3
    )
    assert told()[-1] == "alert.opened"


def test_a_run_that_lost_its_lease_tells_nothing(hook, version):
    Delivery.objects.all().delete()
    run = ForecastRun.objects.create(version=version, dataset_version=version.dataset_version)
    assert not run.finish(rows=1) and not Delivery.objects.exists()


# --- the page ---------------------------------------------------------------------------------------
def test_a_person_sets_up_a_webhook_sees_its_secret_once_and_sends_again(page, read, receiver, settings):
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    form = {"name": "ERP", "address": receiver.address, "kinds": ["training.ended"]}
    made = page.post("/webhooks/", form).content.decode()
    hook = Webhook.objects.get()
    assert hook.secret in made and hook.secret not in page.get("/webhooks/").content.decode()
    happen()
    send_due()
    row = Delivery.objects.get()
    assert "will be sent again" in read(page.post(f"/webhooks/events/{row.pk}/replay/", follow=True))
    send_due()
    assert len(receiver.got) == 2
    assert "switched off" in read(page.post(f"/webhooks/{hook.pk}/switch/", follow=True))
    page.post(f"/webhooks/{hook.pk}/delete/")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("address", ["http://u:p@x.example/", "x", "ftp://x.example/"])
def test_an_address_with_a_password_or_of_another_kind_is_refused(page, address):
    page.post("/webhooks/", {"name": "x", "address": address, "kinds": ["training.ended"]})
    assert not Webhook.objects.exists()
