"""A task in Dask, beside the same one submitted and waited for with Dask's client alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from distributed import Client

from bench.beside import beside_native, mapped, one
from bench.harness import ROOT, Line, report
from tests.services import (
    close_folder,
    open_folder,
    shared,
    start_dask,
    start_worker,
    stop_workers,
    wove_worker,
)

WORKERS = 2


def measure(address: str) -> list[Line]:
    """All lines of this module, on the same two workers and through the same client."""
    with Client(address, set_as_default=False) as client:

        def theirs(count: int) -> None:
            futures = [client.submit(one, item, pure=False) for item in range(count)]
            assert client.gather(futures) == list(range(count))

        return beside_native(
            "Dask",
            mapped("dask", {"client": client}),
            theirs,
            single="submit().result()",
            many="submit of all, and gather",
            note=f"{WORKERS} workers of one thread",
        )


def main() -> None:
    """Start the scheduler and the workers, measure, stop them."""
    os.environ["PYTHONPATH"] = str(ROOT)  # Dask's scheduler loads what is submitted
    folder = open_folder()
    try:
        address = shared("dask", start_dask)
        with tempfile.TemporaryDirectory() as logs:
            argv = wove_worker("dask", "--address", address, "--concurrency", "1")
            workers = [start_worker(Path(logs), "bench", argv) for _ in range(WORKERS)]
            try:
                report(measure(address))
            finally:
                stop_workers(workers)
    finally:
        close_folder(folder)


if __name__ == "__main__":
    main()
