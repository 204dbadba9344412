"""A file written atomically is complete or absent, and nothing is left beside it."""

from __future__ import annotations

import pytest

from registry.lib.atomic_file import write_atomic


def test_chunks_replace_the_file_and_missing_folders_are_created(tmp_path):
    file = tmp_path / "new" / "bundle.bin"
    write_atomic(file, [b"old"])
    write_atomic(file, iter([b"a", b"", b"bc"]))
    assert file.read_bytes() == b"abc" and list(file.parent.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_file_and_no_temp_file(tmp_path):
    def broken_chunks():
        yield b"half"
        raise OSError(28, "No space left on device")

    file = tmp_path / "bundle.bin"
    write_atomic(file, [b"old"])
    with pytest.raises(OSError, match="No space"):
        write_atomic(file, broken_chunks())
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]
