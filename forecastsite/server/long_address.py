"""Shortens request lines that are too long, so that the pages can refuse them with a sentence.

Twisted would close the connection without an answer.
"""

from __future__ import annotations

from typing import Any

from twisted.web.http import HTTPChannel

MAX_ADDRESS_BYTES = 8192  # bytes of an address; the pages refuse longer ones with status 414
SHORTENED_BYTES = MAX_ADDRESS_BYTES + 500  # bytes that are left of a line that is too long
MAX_SKIPPED_BYTES = 4 << 20  # a line that is even longer ends the connection
MAX_HEADER_BYTES = 64 << 10  # of all headers together
END = b"\r\n"


def handle_long_line(channel: Any, line: bytes) -> None:
    """Passes on a shortened request line; answers status 400 to a header that is too long."""
    if not channel._HTTPChannel__first_line:
        channel._respondToBadRequestAndDisconnect()
        return
    command, _space, address = line.partition(b" ")
    start = b"%s %s HTTP/1.1" % (command[:20], address.partition(END)[0][:SHORTENED_BYTES].split(b" ")[0])
    channel._busyReceiving = False  # the line was taken out of the buffer
    skipped, last = 0, b""

    def skip(data: bytes) -> None:
        """Drops the rest of the line; its end brings back the normal reading."""
        nonlocal skipped, last
        _rest, end, following = (last + data).partition(END)
        skipped, last = skipped + len(data), data[-1:]
        if end:
            del channel.dataReceived
            channel.dataReceived(start + END + following)
        elif skipped > MAX_SKIPPED_BYTES:
            channel.transport.loseConnection()

    channel.dataReceived = skip
    skip(line)


def install_long_address() -> None:
    """Makes every connection handle long lines in this way."""
    HTTPChannel.lineLengthExceeded = handle_long_line  # type: ignore[method-assign]
    HTTPChannel.totalHeadersSize = MAX_HEADER_BYTES
