"""What is paid once: imports, the receiver's start, and the memory of a run in flight."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
import tracemalloc

from bench.harness import ENVIRONMENT, ROOT, Line, report

BARE = "pass"
IMPORT_WOVE = "import wove"
ASYNCIO_LISTENING = """
import asyncio, socket
listening = socket.create_server(("127.0.0.1", 0))
"""
FIRST_REMOTE = """
import asyncio
from wove.executors.backend import BackendAdapterEnvironmentExecutor
from wove.receiver import CallbackSettings, receiver_for
from wove.integrations.process import ProcessAdapter
receiver_for(CallbackSettings.from_config({}))
"""


def _process_ms(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=ENVIRONMENT)
    return (time.perf_counter() - begin) * 1e3


def _extra(name: str, code: str, base: str, most: float, limit: str, rounds: int = 15) -> Line:
    ours, against = [], []
    for number in range(rounds + 1):
        with_it, without = _process_ms(code), _process_ms(base)
        if number:
            ours.append(with_it)
            against.append(without)
    more = statistics.median(a - b for a, b in zip(ours, against, strict=True))
    return Line(
        name=name,
        limit=limit,
        target=f"<= +{most:g} ms",
        ours=statistics.median(ours),
        against=statistics.median(against),
        unit="ms",
        ratio=statistics.median(ours) / statistics.median(against),
        reached=more <= most,
        note=f"{more:+.1f} ms",
    )


def memory_of_a_run(count: int = 2_000) -> Line:
    """What the hub keeps for a run in flight, beside an asyncio task with a future."""
    from wove.receiver import CallbackSettings, receiver_for

    class Sink:
        def put(self, batch: list[tuple[str, object]]) -> None:
            raise AssertionError("no event is sent here")

    async def bare() -> float:
        loop = asyncio.get_running_loop()

        async def wait(future: asyncio.Future[None]) -> None:
            await future

        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        futures = [loop.create_future() for _ in range(count)]
        tasks = [loop.create_task(wait(future)) for future in futures]
        await asyncio.sleep(0)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for future in futures:
            future.set_result(None)
        await asyncio.gather(*tasks)
        return (after - before) / count

    receiver = receiver_for(CallbackSettings.from_config({"callback_token": "t"}))
    sink = Sink()
    names = [f"run-{number:020}" for number in range(count)]
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for name in names:
        receiver.hub.open_run(name, task_id="task", token="t", sink=sink)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    ours = (after - before) / count
    against = asyncio.run(bare())
    return Line(
        name="memory of one run in flight, in the hub",
        limit="an asyncio task with a future",
        target="<= 1.5 KB",
        ours=ours,
        against=against,
        unit="bytes",
        ratio=ours / against,
        reached=ours <= 1536,
    )


def third_party_modules() -> list[str]:
    """Modules outside the standard library that `import wove` loads."""
    code = (
        "import sys, json; import wove; "
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] not in "
        "sys.stdlib_module_names and m.split('.')[0] not in ('wove', '__main__')]))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, 'src'); {code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure all lines of this module."""
    extra = third_party_modules()
    if extra:
        raise RuntimeError(f"`import wove` loads {extra}")
    report(
        [
            _extra(
                "first remote task of a process: imports, receiver's start",
                FIRST_REMOTE,
                ASYNCIO_LISTENING,
                40,
                "import asyncio and a listening socket",
            ),
            memory_of_a_run(),
            _extra("import wove", IMPORT_WOVE, BARE, 5, "bare Python"),
        ]
    )


if __name__ == "__main__":
    main()
