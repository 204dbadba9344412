"""Damaged parquet files are uploaded one after the other; meanwhile others use the pages."""

from __future__ import annotations

import re
import threading
import time

import psutil
import pytest

from tests.faults.http_client import Person
from tests.faults.processes import head
from tests.helpers.hostile_files import mutated, parquet, small
from tests.helpers.trials import FULL, repeats

pytestmark = pytest.mark.processes
AT_ONCE = 50
ERROR = re.compile(r'<ul class="errorlist"[^>]*>\s*<li>([^<]+)</li>')
PAGES = ("/data/", "/train/", "/models/", "/data/suggest/product/?dataset=1&product=p")


class Reader(threading.Thread):
    """Somebody who opens a page five times a second and notes how long each took."""

    def __init__(self, person: Person) -> None:
        super().__init__(daemon=True)
        self.person, self.waits, self.done = person, [], threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.2):
            begun = time.monotonic()
            page = self.person.address + PAGES[len(self.waits) % len(PAGES)]
            assert self.person.open(page, timeout=60).status == 200
            self.waits.append(time.monotonic() - begun)


def friendly(where: str, page: str) -> bool:
    """Whether the file was read, or refused with one sentence."""
    said = ERROR.findall(page)
    return where.endswith("/match/") or (len(said) == 1 and said[0].rstrip().endswith((".", "it)", "?")))


def settled(person: Person, web: psutil.Process) -> int:
    """Bytes of the web server once it has loaded what these pages need."""
    sizes = [0]
    while len(sizes) < 4 or sizes[-1] - sizes[-4] > 1 << 20:
        for page in PAGES:
            person.open(person.address + page, timeout=60)
        time.sleep(2)
        sizes.append(web.memory_info().rss)
    return sizes[-1]


@repeats  # test_body_limit.py sends hostile files to a server, test_hostile_files.py reads mutated ones
def test_damaged_files_harm_nobody(site, tally):
    person, whole = Person(site), parquet(small())
    faults = tally("a mutated parquet file is uploaded", 5, 1500)
    web = head(site, "web")
    assert person.bring("first.parquet", whole)[0].endswith("/match/")
    before = settled(person, web) if FULL else 0  # bytes and seconds say nothing beside other tests

    def trial(chance) -> dict:
        reader = Reader(Person(site))
        reader.start()
        count = min(AT_ONCE, faults.wanted - faults.count)
        odd, read = [], 0
        for _number in range(count):
            where, page = person.bring("damaged.parquet", mutated(whole, chance))
            read += where.endswith("/match/")
            if not friendly(where, page):
                odd.append(where or ERROR.findall(page))
        reader.done.set()
        reader.join(60)
        waits = sorted(reader.waits)
        grown = (web.memory_info().rss - before) / 2**20
        quick = grown < 50 and waits[int(0.95 * len(waits))] < 0.5
        found = {"read": read, "refused": count - read, "grown MB": round(grown, 1), "pages": len(waits)}
        found |= {f"p{part} s": round(waits[int(part / 100 * len(waits))], 3) for part in (50, 95)}
        return found | {"count": count, "odd": odd, "ok": not odd and (quick or not FULL)}

    faults.attempt(trial)
