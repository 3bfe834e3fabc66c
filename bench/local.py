"""The local scheduler against asyncio and a thread pool doing the same work."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from bench.harness import Line, interleaved, ratio_line, report
from wove import weave


def _no_ops(count: int) -> list[Callable[[], object]]:
    """Async functions of their own, as a weave's tasks are."""
    functions: list[Callable[[], object]] = []
    for index in range(count):

        async def task() -> int:
            return 1

        task.__name__ = f"task_{index}"
        functions.append(task)
    return functions


def async_tasks(count: int) -> Line:
    """Declaring and running `count` no-op async tasks."""
    functions = _no_ops(count)

    def ours() -> None:
        async def main() -> None:
            async with weave() as w:
                for function in functions:
                    w.do(function)

        asyncio.run(main())

    def limit() -> None:
        async def main() -> None:
            await asyncio.gather(*[function() for function in functions])

        asyncio.run(main())

    rounds = 15 if count <= 5_000 else 7
    return ratio_line(
        f"{count:,} no-op async tasks, declaration included",
        "asyncio.gather of the same coroutines",
        1.5,
        interleaved(ours, limit, rounds),
    )


def sync_tasks(count: int = 2_000) -> Line:
    """Light sync tasks through the weave's thread pool."""
    functions: list[Callable[[], object]] = []
    for index in range(count):

        def task() -> int:
            return sum(range(20))

        task.__name__ = f"task_{index}"
        functions.append(task)

    def ours() -> None:
        with weave(max_workers=8) as w:
            for function in functions:
                w.do(function)

    def limit() -> None:
        with ThreadPoolExecutor(8) as pool:
            wait([pool.submit(function) for function in functions])

    return ratio_line(
        f"{count:,} light sync tasks",
        "ThreadPoolExecutor.submit and wait, 8 threads each",
        1.2,
        interleaved(ours, limit, 15),
    )


def mapped(count: int = 10_000) -> Line:
    """One mapped async task."""

    async def double(item: int) -> int:
        return item * 2

    def ours() -> None:
        async def main() -> None:
            async with weave() as w:
                w.do(range(count))(double)

        asyncio.run(main())

    def limit() -> None:
        async def main() -> None:
            await asyncio.gather(*[double(item) for item in range(count)])

        asyncio.run(main())

    return ratio_line(
        f"a map of {count:,} items", "asyncio.gather", 1.0, interleaved(ours, limit, 15)
    )


def mapped_memory(count: int = 100_000) -> Line:
    """Peak memory of a large map with ten workers."""

    async def text(item: int) -> str:
        return f"result {item:>20}"

    def peak(function: Callable[[], object]) -> float:
        tracemalloc.start()
        kept = function()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del kept
        return float(most)

    def ours() -> object:
        async def main() -> object:
            async with weave() as w:
                w.do(range(count), workers=10)(text)
            return w.result

        return asyncio.run(main())

    def limit() -> object:
        return [f"result {item:>20}" for item in range(count)]

    ours()
    return ratio_line(
        f"a map of {count:,} items with workers=10: peak memory",
        "a list of the results",
        1.2,
        (peak(ours), peak(limit)),
        scale=1 / 2**20,
        unit="MiB",
    )


def uneven() -> Line:
    """Two chains of unlike length: a task starts when its own dependencies are there."""

    def ours() -> None:
        async def main() -> None:
            async with weave() as w:

                @w.do
                async def a1() -> None:
                    await asyncio.sleep(0.05)

                @w.do
                async def a2(a1: None) -> None:
                    await asyncio.sleep(0.05)

                @w.do
                async def a3(a2: None) -> None:
                    await asyncio.sleep(0.05)

                @w.do
                async def b1() -> None:
                    await asyncio.sleep(0.10)

                @w.do
                async def b2(b1: None) -> None:
                    await asyncio.sleep(0.01)

        asyncio.run(main())

    def limit() -> None:
        async def main() -> None:
            for _ in range(3):
                await asyncio.sleep(0.05)

        asyncio.run(main())

    return ratio_line(
        "uneven graph (chains of 150 ms and 110 ms)",
        "the longer chain alone",
        1.05,
        interleaved(ours, limit, 9),
    )


def one_task() -> Line:
    """The smallest weave there is."""

    async def task() -> int:
        return 1

    def ours() -> None:
        for _ in range(100):
            asyncio.run(weaving())

    async def weaving() -> None:
        async with weave() as w:
            w.do(task)

    def limit() -> None:
        for _ in range(100):
            asyncio.run(task())

    return ratio_line(
        "one task, local (async with)",
        "asyncio.run of it",
        1.3,
        interleaved(ours, limit, 15),
        scale=1e4,
        unit="us",
    )


def one_sync_weave() -> Line:
    """The same through `with weave()`, which brings its own event loop."""

    async def task() -> int:
        return 1

    def ours() -> None:
        for _ in range(100):
            with weave() as w:
                w.do(task)

    def limit() -> None:
        for _ in range(100):
            asyncio.run(task())

    return ratio_line(
        "one task, local (with)",
        "asyncio.run of it",
        1.3,
        interleaved(ours, limit, 15),
        scale=1e4,
        unit="us",
    )


def main() -> None:
    """Measure all lines of this module."""
    report(
        [
            async_tasks(1_000),
            async_tasks(5_000),
            async_tasks(20_000),
            sync_tasks(),
            mapped(),
            mapped_memory(),
            uneven(),
            one_task(),
            one_sync_weave(),
        ]
    )


if __name__ == "__main__":
    main()
