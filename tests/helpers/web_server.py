"""A real web server for tests, without supervisor and queues, and people who use it over plain sockets."""

from __future__ import annotations

import http.client
import http.cookies
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.helpers.installation import PASSWORD, USER, copy_prepared_folder, free_port, install_chain
from tests.helpers.source_tree import ROOT


class WebServer:
    """A web server on a data folder of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.environment = {**os.environ, "DATA_DIR": str(folder), "DATABASE_URL": "", **environment}
        self.process: psutil.Process

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rss(self) -> float:
        """Memory of the web process in MB."""
        return self.process.memory_info().rss / (1 << 20)

    def get(self, path: str, cookie: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def queue_training(self) -> str:
        """A training that waits for ever, since nothing runs the queue; its id."""
        words = ["train", "--dataset=sample", "--scope=global", "--algorithm=kan", "--queue", "--json"]
        return json.loads(self.manage(*words))["run"]

    def is_up(self) -> bool:
        try:
            return self.get("/login/")[0] == 200
        except OSError:
            return False

    def sign_in(self) -> str:
        """The cookie header of a signed-in administrator."""
        browser = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        browser.request("GET", "/login/")
        answer = browser.getresponse()
        answer.read()
        jar = http.cookies.SimpleCookie()
        for line in answer.headers.get_all("Set-Cookie", []):
            jar.load(line)
        token = jar["csrftoken"].value
        body = f"username={USER}&password={PASSWORD.replace(' ', '+')}&csrfmiddlewaretoken={token}"
        headers = {"Cookie": f"csrftoken={token}", "Content-Type": "application/x-www-form-urlencoded"}
        browser.request("POST", "/login/", body, headers)
        answer = browser.getresponse()
        answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            jar.load(line)
        browser.close()
        return "; ".join(f"{name}={cookie.value}" for name, cookie in jar.items())


@contextmanager
def running_web_server(
    folder: Path, size: tuple[int, int, int] | None = None, **environment: str
) -> Iterator[WebServer]:
    """A server over the small chain, or over one of so many stores, products and days; killed at the end."""
    server = WebServer(folder, **environment)
    if size is None:
        copy_prepared_folder(folder)
    else:
        install_chain(server.environment, "sample", size)
    words = [sys.executable, "-m", "forecastsite.server.process", str(os.getpid()), "web", str(server.port)]
    process = subprocess.Popen(words, cwd=ROOT, env=server.environment)
    server.process = psutil.Process(process.pid)
    try:
        end = time.monotonic() + 180
        while not server.is_up():
            assert time.monotonic() < end and process.poll() is None, "the web server did not start"
            time.sleep(0.2)
        yield server
    finally:
        process.kill()
        process.wait()
