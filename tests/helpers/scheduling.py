"""Which tests share a worker of pytest-xdist."""

from __future__ import annotations

from pathlib import PurePath

from xdist.scheduler import LoadFileScheduling

BROWSER = "tests/browser"


class SharedBrowserScheduling(LoadFileScheduling):
    """Tests of a file stay together. All that need a browser share two workers, so that two installations
    suffice for them, and the others wait for processes meanwhile."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        folder, name = str(PurePath(file).parent), PurePath(file).stem
        if folder != BROWSER:
            return file
        return f"{folder} {'a-f' if name < 'test_g' else 'g-z'}"
