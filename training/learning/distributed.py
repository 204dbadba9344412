"""Data-parallel learning: several processes learn one network, each from its share of every batch. Pure.

The process of rank 0 leads: it alone keeps time, checks, saves and builds the bundle. The others wait for its
orders, one for each fit, and start from the state that it sends them. Each step sums the gradients over all
processes, so that all take the same step, and end after the same one.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import nn
from torch.distributed import PrefixStore, ProcessGroupGloo, Store, TCPStore  # type: ignore[attr-defined]

JOIN_SECONDS = 60.0  # in which the others must be there; later ones are not waited for
LEAVE_SECONDS = 3.0  # in which the others must have heard that it is over
STEP_SECONDS = 120.0  # after which a process that does not answer counts as lost
POLL_SECONDS = 0.1  # between two looks at the store


class ProcessLost(Exception):
    """Another process of this training ended or does not answer."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(f"Another process of the training was lost: {problem}")


@dataclass(frozen=True)
class FitOrder:
    """What the others learn with the process that leads: the arguments of `Candidate.learn_before`."""

    method: str
    best_step: int
    end: int
    seconds: float
    threads: float
    refit: bool


class ProcessGroup:
    """One process and what it shares with the others; without others every method is free of effect."""

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        store: Store | None = None,
        gloo: Any = None,  # a ProcessGroupGloo: its stubs lack most methods
    ):
        self.rank, self.size, self._store, self._gloo = rank, size, store, gloo
        self._order_count = 0

    @property
    def leads(self) -> bool:
        """Whether this process keeps time, saves and tells the others what to learn."""
        return self.rank == 0

    def share_of(self, size: int) -> slice:
        """Where the `size` windows of this process are among those of all."""
        return slice(self.rank * size, (self.rank + 1) * size)

    def give_order(self, order: FitOrder | None) -> None:
        """Has the others begin a fit, or end."""
        if self._store is not None and self.leads:
            self._order_count += 1
            text = json.dumps(asdict(order) if order else None)
            try:
                self._store.set(f"order/{self._order_count}", text)
            except RuntimeError as problem:
                raise ProcessLost(problem) from problem

    def iter_orders(self) -> Iterator[FitOrder]:
        """The orders of the process that leads, as they come; ends with it. Raises ProcessLost."""
        while self._store is not None:
            self._order_count += 1
            order = json.loads(_await_key(self._store, f"order/{self._order_count}"))
            if order is None:
                self._store.add("left", 1)
                return
            yield FitOrder(**order)

    def send_state(self, content: bytes) -> bytes:
        """The bytes of the process that leads, on all of them."""
        if self._gloo is None:
            return content
        try:
            size = torch.tensor([len(content)])
            self._gloo.broadcast(size, 0).wait()
            whole = torch.zeros(int(size), dtype=torch.uint8)
            if self.leads:
                whole = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            self._gloo.broadcast(whole, 0).wait()
        except RuntimeError as problem:
            raise ProcessLost(problem) from problem
        return whole.numpy().tobytes()

    def average_gradients(self, model: nn.Module, sums: list[float]) -> list[float]:
        """Puts the mean gradient of all windows into the model; returns the sums over all processes.

        The first sum is the number of known days of this process, by which its gradient counts: so the mean
        is the gradient of one batch with the windows of all.
        """
        if self._gloo is None:
            return sums
        gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        message = torch.cat([flat * sums[0], torch.tensor(sums)])
        try:
            self._gloo.allreduce([message]).wait()
        except RuntimeError as problem:
            raise ProcessLost(problem) from problem
        totals: list[float] = message[len(flat) :].tolist()
        mean = (message[: len(flat)] / max(1.0, totals[0])).split([one.numel() for one in gradients])
        for gradient, part in zip(gradients, mean, strict=True):
            gradient.copy_(part.view_as(gradient))
        return totals

    def close(self) -> None:
        """Lets the others end before the store does; a lost one does not matter any more."""
        if self._store is None:
            return
        self.give_order(None)
        until = time.monotonic() + LEAVE_SECONDS
        while self._store.add("left", 0) < self.size - 1 and time.monotonic() < until:
            time.sleep(POLL_SECONDS)


ALONE = ProcessGroup()


class Rendezvous:
    """Where the others find the process that leads: a store at an address of this host.

    Only this host can reach it unless the address is one of a network.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        listener = socket.create_server((host, 0))
        self.host, self.port = listener.getsockname()[:2]
        self.store = TCPStore(
            self.host,
            self.port,
            is_master=True,
            wait_for_workers=False,
            master_listen_fd=listener.detach(),  # the store closes it
        )

    @property
    def address(self) -> str:
        """host:port for `join_group`."""
        return f"{self.host}:{self.port}"

    def form_group(self, size: int, seconds: float = JOIN_SECONDS) -> ProcessGroup:
        """The group of those that came in time, `size` at most; this process leads. Raises ProcessLost."""
        until = time.monotonic() + seconds
        while (others := self.store.add("joined", 0)) < size - 1 and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        size = 1 + min(others, size - 1)
        self.store.set("size", str(size))
        return _connect(self.store, 0, size, self.host) if size > 1 else ProcessGroup()


def join_group(address: str) -> ProcessGroup | None:
    """The group that meets at this address; None if it is complete without this process."""
    host, _colon, port = address.rpartition(":")
    try:
        with closing(socket.create_connection((host, int(port)), STEP_SECONDS)) as probe:
            own = probe.getsockname()[0]  # the address by which the others reach this host
        store = TCPStore(host, int(port), is_master=False, wait_for_workers=False)
        rank = store.add("joined", 1)
    except (OSError, RuntimeError) as problem:
        raise ProcessLost(problem) from problem
    size = int(_await_key(store, "size"))
    return _connect(store, rank, size, own) if rank < size else None


def _connect(store: Store, rank: int, size: int, host: str) -> ProcessGroup:
    options = ProcessGroupGloo._Options()  # type: ignore[attr-defined]
    options._timeout = timedelta(seconds=STEP_SECONDS)
    options._devices = [ProcessGroupGloo.create_device(hostname=host)]
    try:
        gloo = ProcessGroupGloo(PrefixStore("gloo", store), rank, size, options)
    except RuntimeError as problem:
        raise ProcessLost(problem) from problem
    return ProcessGroup(rank, size, store, gloo)


def _await_key(store: Store, key: str) -> bytes:
    """The value, once it is there; raises ProcessLost when the store is gone."""
    try:
        while not store.check([key]):
            time.sleep(POLL_SECONDS)
        value: bytes = store.get(key)
    except RuntimeError as problem:
        raise ProcessLost(problem) from problem
    return value
