"""The client: one method for each thing that programs do most, and `request` for everything else."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "/api/v1"
TRIES = 5  # of a request that came too often, or found the server busy
RETRIED = (429, 503)
POLL_SECONDS, MAX_POLL_SECONDS = 1.0, 15.0
PARQUET = "application/vnd.apache.parquet"
TYPES = {
    ".csv": "text/csv",
    ".parquet": PARQUET,
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
Json = dict[str, Any]


class Refused(Exception):
    """The server has refused a request; the text is its sentence."""

    def __init__(self, problem: Json) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or "")
        self.status: int = problem.get("status", 0)
        self.errors: list[dict[str, str]] = problem.get("errors") or []
        self.question: Json | None = problem.get("question")  # parameter and answers, about a file


class JobFailed(Exception):
    """A training, forecast run or order ended without a result; the text says why."""


class Client:
    """A site, and a key for it. Use it in a `with`, or close it."""

    def __init__(
        self, url: str, key: str, language: str = "en", transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=120, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self.http.close()

    # --- any request --------------------------------------------------------------------------------
    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request to a path below /api/v1; raises Refused."""
        address = path if path.startswith(PREFIX) else f"{PREFIX}/{path}"
        if method == "POST":
            options["headers"] = {"Idempotency-Key": str(uuid.uuid4()), **options.get("headers", {})}
        for attempt in range(1, TRIES + 1):
            response = self.http.request(method, address, **options)
            if response.status_code not in RETRIED or attempt == TRIES:
                break
            time.sleep(float(response.headers.get("Retry-After", 2**attempt)))
        if response.is_error:
            raise Refused(read_problem(response))
        return response

    def request(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of the answer; None if it has none."""
        response = self.send(method, path, **options)
        return response.json() if response.content else None

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        """Every item of a list, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.request("GET", path, params={**query, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]

    def frame(self, path: str, **query: Any) -> pd.DataFrame:
        """A table of the API as a data frame."""
        import pandas as pd

        response = self.send("GET", path, params={**query, "format": "parquet"})
        return pd.read_parquet(io.BytesIO(response.content))

    # --- data ---------------------------------------------------------------------------------------
    def dataset(self, name: str) -> Json:
        """The dataset of that name; raises LookupError."""
        for found in self.pages("datasets", name=name):
            return found
        raise LookupError(f"There is no dataset {name!r}.")

    def push_sales(self, dataset: int, sales: str | Path | pd.DataFrame, **reading: Any) -> Json:
        """Adds sales of a file or frame; `reading` as the API names it, such as dates="dmy".

        A large file is imported by a job, which is waited for.
        """
        return self.wait_for_import(self.push(f"datasets/{dataset}/sales", sales, reading))

    def push_stock(self, dataset: int, stock: str | Path | pd.DataFrame, **reading: Any) -> Json:
        """Stock as it was counted."""
        return self.push(f"datasets/{dataset}/stock", stock, reading)

    def push_terms(self, dataset: int, terms: str | Path | pd.DataFrame, **reading: Any) -> Json:
        """How products are ordered."""
        return self.push(f"datasets/{dataset}/terms", terms, reading)

    def create_dataset(self, name: str, sales: str | Path | pd.DataFrame, **reading: Any) -> Json:
        """A new dataset with its first sales."""
        return self.wait_for_import(self.push("datasets", sales, {**reading, "name": name}, "POST"))

    def wait_for_import(self, answer: Json) -> Json:
        """The answer; of a job, which a large file gets, what it made."""
        return {"dataset": self.wait(answer)} if "state" in answer else answer

    def push(self, path: str, table: Any, reading: Json, method: str = "PUT") -> Json:
        """Sends a file, or a frame as parquet."""
        content, kind, name = read_table(table)
        query = {"filename": name, **reading} if name else reading
        found: Json = self.request(
            method, path, content=content, params=query, headers={"Content-Type": kind}
        )
        return found

    # --- jobs ---------------------------------------------------------------------------------------
    def train(self, dataset: int, algorithm: str = "auto", **more: Any) -> Json:
        """The job of a training; `more`: kind, code, horizon, budget, seed, settings."""
        return self.start("trainings", {"dataset": dataset, "algorithm": algorithm, **more})

    def forecast_all(self, dataset: int, horizon: int = 28) -> Json:
        """The job of a forecast of everything."""
        return self.start(f"datasets/{dataset}/forecast-runs", {"horizon": horizon})

    def order(self, dataset: int) -> Json:
        """The job of an order."""
        return self.start(f"datasets/{dataset}/orders", {})

    def start(self, path: str, body: Json) -> Json:
        """The job that a request has started."""
        job: Json = self.request("POST", path, json=body)
        return job

    def wait(self, job: Json, timeout: float = 4 * 3600) -> Json:
        """What the job made; raises JobFailed, or TimeoutError."""
        end, pause = time.monotonic() + timeout, POLL_SECONDS
        while job["state"] in ("queued", "running"):
            if time.monotonic() > end:
                raise TimeoutError(f"The job {job['id']} is still {job['state']}.")
            time.sleep(pause)
            pause = min(MAX_POLL_SECONDS, pause * 1.5)
            job = self.request("GET", f"jobs/{job['id']}")
        if job["state"] != "done" or not job["result"]:
            raise JobFailed(job["error"] or job["state"])
        made: Json = self.request("GET", job["result"])
        return made

    # --- results ------------------------------------------------------------------------------------
    def forecast(self, dataset: int, run: str = "", store: str = "", product: str = "") -> pd.DataFrame:
        """Days of all series of a forecast run, by default the current one."""
        where = {name: code for name, code in (("store", store), ("product", product)) if code}
        path = f"forecast-runs/{run}/rows" if run else f"datasets/{dataset}/forecast-runs/current/rows"
        return self.frame(path, **where)

    def accuracy(self, dataset: int) -> pd.DataFrame:
        """Errors of forecasts by week and days ahead."""
        return self.frame(f"datasets/{dataset}/accuracy")

    def order_lines(self, order: str, show: str = "ordered") -> pd.DataFrame:
        """The lines of an order."""
        return self.frame(f"orders/{order}/lines", show=show)

    def promote(self, version: str, reason: str) -> Json:
        """Puts a model version in use."""
        found: Json = self.request("POST", f"versions/{version}/promote", json={"reason": reason})
        return found


def read_problem(response: httpx.Response) -> Json:
    """The problem of an answer; of one without JSON its status."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    return (
        problem
        if isinstance(problem, dict)
        else {"status": response.status_code, "title": response.text[:200]}
    )


def read_table(table: Any) -> tuple[bytes, str, str]:
    """Content, media type and file name of what is sent; a frame has no name."""
    if isinstance(table, str | Path):
        path = Path(table)
        return path.read_bytes(), TYPES.get(path.suffix.lower(), "application/octet-stream"), path.name
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue(), PARQUET, ""
