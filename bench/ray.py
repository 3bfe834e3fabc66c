"""A task in Ray, beside the same one submitted and waited for with Ray alone."""

from __future__ import annotations

import ray

from bench.beside import beside_native, mapped, one
from bench.harness import Line, report

CPUS = 2


def measure() -> list[Line]:
    """All lines of this module, on a cluster of this process's own."""
    ray.init(address="local", num_cpus=CPUS, include_dashboard=False, log_to_driver=False)
    native = ray.remote(one)

    def theirs(count: int) -> None:
        assert ray.get([native.remote(item) for item in range(count)]) == list(range(count))

    try:
        return beside_native(
            "Ray",
            mapped("ray", {"init": False}),
            theirs,
            single="ray.get of one",
            many="ray.get of all",
            note=f"{CPUS} CPUs",
        )
    finally:
        ray.shutdown()


if __name__ == "__main__":
    report(measure())
