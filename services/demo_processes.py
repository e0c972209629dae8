"""Lets several processes make demonstration customers: making one takes as long as storing it."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Protocol

from config import Settings
from stores import mongo

CUSTOMERS_PER_BATCH = 500  # written at once, with their orders
CUSTOMERS_PER_PIECE = 5000  # handed to a process at once
SPLIT_FROM = 20_000  # customers; below, starting processes takes longer than it saves
PROCESSES = 4  # at most: beyond, the database is the limit


class Scene(Protocol):
    """Knows how to write customers by their numbers; it can be sent to another process."""

    def write_customers(self, numbers: list[int]) -> None:
        """Writes these customers with all that belongs to them."""


def write_all(scene: Scene, customers: int, advance: Callable[[int], None]) -> None:
    """Writes the customers from 0 on; calls `advance` with the number of those just written."""
    if customers < SPLIT_FROM:
        _write(scene, 0, customers, advance)
        return
    processes = min(PROCESSES, os.cpu_count() or 1)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        starts = range(0, customers, CUSTOMERS_PER_PIECE)
        ends = (min(start + CUSTOMERS_PER_PIECE, customers) for start in starts)
        pieces = [
            pool.submit(_write_piece, mongo.settings(), scene, start, end)
            for start, end in zip(starts, ends, strict=True)
        ]
        try:
            for piece in as_completed(pieces):
                advance(piece.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _write(scene: Scene, start: int, end: int, advance: Callable[[int], None]) -> None:
    for first in range(start, end, CUSTOMERS_PER_BATCH):
        batch = list(range(first, min(first + CUSTOMERS_PER_BATCH, end)))
        scene.write_customers(batch)
        advance(len(batch))


def _write_piece(settings: Settings, scene: Scene, start: int, end: int) -> int:
    mongo.connect(settings)
    _write(scene, start, end, lambda number: None)
    return end - start
