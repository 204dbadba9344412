"""Memory of the web server over thousands of pages, uploads and downloads: `python -m bench.web_memory`.

Starts a web server on a chain of 560,000 rows, opens every kind of page once, then prints a table as it goes
on. The last row is of downloads of all sales, eight at a time, while somebody else reads pages.
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.helpers.web_server import WebServer, running_web_server

PAGES = ["/", "/data/", "/data/1/", "/models/", "/forecasts/", "/train/", "/forecast/", "/help/"]
PAGES += ["/models/?export=csv", "/data/?export=xlsx", "/data/1/sales.parquet"]
UPLOAD_MB = 5
SETTLE_SECONDS = 30


def send_upload(server: WebServer, cookie: str, megabytes: int = UPLOAD_MB) -> int:
    """Uploads a file that is read and refused: its first column has no dates."""
    token = next(part.split("=")[1] for part in cookie.split("; ") if part.startswith("csrftoken="))
    line = b"no date,S001,P001,5\n"
    file = b"date,store_id,product_id,sales\n" + line * ((megabytes << 20) // len(line))
    fields = {"csrfmiddlewaretoken": token, "name": "bench"}
    parts = [f'Content-Disposition: form-data; name="{a}"\r\n\r\n{b}'.encode() for a, b in fields.items()]
    parts.append(b'Content-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n' + file)
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    headers = {"Cookie": cookie, "Content-Type": "multipart/form-data; boundary=edge"}
    connection.request("POST", "/data/upload/", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def print_row(what: str, server: WebServer, start: float, note: str = "") -> None:
    now = server.rss()
    print(f"| {what} | {now:.0f} | {now - start:+.0f} | {note} |", flush=True)


def percentiles(times: list[float]) -> str:
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"p50 {ordered[len(ordered) // 2] * 1000:.0f}, p95 {p95 * 1000:.0f} ms"


def read_pages(server: WebServer, cookie: str, count: int) -> list[float]:
    """Opens pages in turn; how long each took."""
    times = []
    for number in range(count):
        since = time.monotonic()
        assert server.get(PAGES[number % len(PAGES)], cookie)[0] == 200
        times.append(time.monotonic() - since)
    return times


def download_in_parallel(server: WebServer, cookies: list[str], count: int) -> tuple[Counter, list[float]]:
    """The statuses of downloads, eight at a time, and the times of pages meanwhile."""
    statuses: Counter[int] = Counter()

    def download(cookie: str) -> None:
        for _ in range(count):
            statuses[server.get("/data/1/sales.csv", cookie)[0]] += 1

    threads = [threading.Thread(target=download, args=(cookies[n % len(cookies)],)) for n in range(8)]
    for thread in threads:
        thread.start()
    times = []
    while any(thread.is_alive() for thread in threads):
        since = time.monotonic()
        server.get("/data/", cookies[0])
        times.append(time.monotonic() - since)
    return statuses, times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=5000)
    parser.add_argument("--uploads", type=int, default=100)
    parser.add_argument("--downloads", type=int, default=3, help="of each of eight clients")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_web_server(Path(folder), (20, 40, 700)) as server:
        cookie = server.sign_in()
        read_pages(server, cookie, 2 * len(PAGES))
        send_upload(server, cookie)
        start = server.rss()
        print("| after | MB | growth | |\n|---|---|---|---|")
        print_row("every page and an upload once", server, start)
        for part in range(1, 6):
            times = read_pages(server, cookie, chosen.pages // 5)
            print_row(f"{part * chosen.pages // 5} pages", server, start, percentiles(times))
        for part in range(1, 5):
            for _ in range(chosen.uploads // 4):
                assert send_upload(server, cookie) in {200, 302}
            print_row(f"{part * chosen.uploads // 4} uploads of {UPLOAD_MB} MB", server, start)
        time.sleep(SETTLE_SECONDS)
        print_row("half a minute of rest", server, start)
        statuses, times = download_in_parallel(server, [cookie], chosen.downloads)
        note = f"{dict(statuses)}, pages meanwhile {percentiles(times)}"
        print_row("8 clients downloading all sales", server, start, note)


if __name__ == "__main__":
    main()
