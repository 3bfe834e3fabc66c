"""A task's result comes back, whatever it is and wherever the weave runs."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import tasks
from tests.adapters.backend import Backend
from tests.faults.proxy import LOSE_REQUEST, Action, Proxy, Request, Rule, first, proxy_to
from wove import weave

Use = Callable[..., None]


def test_a_value_comes_back_into_the_same_block(use: Use) -> None:
    use()
    with weave() as w:

        @w.do
        def account() -> dict[str, int]:
            return {"number": 7}

        @w.do(environment="remote")
        def report(account: dict[str, int]) -> str:
            return f"account {account['number']}"

        @w.do
        def loud(report: str) -> str:
            return report.upper()

    assert w.result.report == "account 7"
    assert w.result.loud == w.result.final == "ACCOUNT 7"


def test_the_task_runs_in_another_process(use: Use, tmp_path: Path) -> None:
    import os

    use()
    here = os.getpid()
    with weave() as w:

        @w.do(environment="remote")
        def process() -> int:
            return os.getpid()

    assert w.result.process != here


def test_an_async_task(use: Use) -> None:
    use()
    with weave(base=20) as w:

        @w.do(environment="remote")
        async def doubled(base: int) -> int:
            await asyncio.sleep(0.01)
            return base * 2

    assert w.result.doubled == 40


@pytest.mark.parametrize(
    "value", [None, 2**53 + 1, "gr\u00fc\u00df \U0001f9f6", b"\x00\xff", {1: (2,)}]
)
def test_the_value_is_what_the_task_returned(use: Use, value: object) -> None:
    use()
    with weave(value=value) as w:

        @w.do(environment="remote")
        def same(value: object) -> object:
            return value

    assert w.result.same == value
    assert type(w.result.same) is type(value)


def test_a_mebibyte_in_and_out(use: Use) -> None:
    use()
    block = bytes(range(256)) * 4096
    with weave(block=block) as w:

        @w.do(environment="remote")
        def back(block: bytes) -> tuple[str, bytes]:
            return hashlib.sha256(block).hexdigest(), block[::-1]

    assert w.result.back == (hashlib.sha256(block).hexdigest(), block[::-1])


def test_twenty_mapped_items_keep_their_order(use: Use) -> None:
    use()
    with weave(factor=3) as w:

        @w.do(range(20), environment="remote")
        def scaled(n: int, factor: int) -> int:
            return n * factor

    assert w.result.scaled == [n * 3 for n in range(20)]
    assert sorted(run.item for run in w.result.runs if run.task == "scaled") == list(range(20))


def test_several_weaves_in_a_row(use: Use) -> None:
    use()
    for number in range(8):
        with weave(number=number) as w:

            @w.do(environment="remote")
            def echo(number: int) -> int:
                return number

        assert w.result.echo == number


def test_two_weaves_on_one_callback_port_in_sequence(
    use: Use, backend: Backend, callback_port: int
) -> None:
    config = {**backend.executor_config(), "callback_port": callback_port}
    for number in range(2):
        use(config)
        with weave(number=number) as w:

            @w.do(environment="remote")
            def echo(number: int) -> int:
                return number

        assert w.result.echo == number


def test_two_weaves_on_one_callback_port_at_once(
    use: Use, backend: Backend, callback_port: int, tmp_path: Path
) -> None:
    use({**backend.executor_config(), "callback_port": callback_port})
    results: dict[str, str] = {}

    def one(mine: str, other: str) -> None:
        with weave(folder=str(tmp_path), mine=mine, other=other) as w:

            @w.do(environment="remote")
            def meet(folder: str, mine: str, other: str) -> str:
                tasks.note(f"{folder}/{mine}")
                tasks.wait_for(f"{folder}/{other}")  # the other weave's task runs now
                return mine

        results[mine] = w.result.meet

    threads = [threading.Thread(target=one, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert results == {"a": "a", "b": "b"}


@pytest.mark.blocks_loop
def test_a_sync_weave_inside_a_running_loop(use: Use) -> None:
    use()

    async def main() -> int:
        with weave() as w:

            @w.do(environment="remote")
            def answer() -> int:
                return 42

        return int(w.result.answer)

    assert asyncio.run(main()) == 42


def test_weaves_of_one_loop_at_once(use: Use) -> None:
    use()

    async def one(number: int) -> int:
        async with weave(number=number) as w:

            @w.do(environment="remote")
            def squared(number: int) -> int:
                return number * number

        return int(w.result.squared)

    async def main() -> list[int]:
        return await asyncio.gather(*(one(n) for n in range(5)))

    assert asyncio.run(main()) == [0, 1, 4, 9, 16]


def test_one_object_of_the_users_serves_weaves_threads_and_loops(
    use: Use, backend: Backend
) -> None:
    with backend.shared_object() as environment:
        use(environment=environment)

        def once(number: int) -> int:
            with weave(number=number) as w:

                @w.do(environment="remote")
                def echo(number: int) -> int:
                    return number

            return int(w.result.echo)

        async def once_async(number: int) -> int:
            async with weave(number=number) as w:

                @w.do(environment="remote")
                def echo(number: int) -> int:
                    return number

            return int(w.result.echo)

        assert [once(1), once(2)] == [1, 2]  # one weave after the other, each with its own loop
        assert asyncio.run(once_async(3)) == 3
        assert asyncio.run(once_async(4)) == 4

        found: list[int] = []
        threads = [
            threading.Thread(target=lambda n=n: found.append(once(n)))  # type: ignore[misc]
            for n in (5, 6, 7)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(found) == [5, 6, 7]


def test_fifty_tasks_end_at_the_same_moment(use: Use, backend: Backend, tmp_path: Path) -> None:
    count = backend.capabilities.at_once
    gate, ready = tmp_path / "gate", tmp_path / "ready"
    with backend.many_at_once(tmp_path, count) as config:
        use(config)
        opener = threading.Thread(target=_open_when, args=(ready, count, gate))
        opener.start()
        with weave(gate=str(gate), ready=str(ready)) as w:

            @w.do(range(count), environment="remote")
            def together(n: int, gate: str, ready: str) -> int:
                tasks.note(ready)
                at = float(tasks.wait_for(gate, seconds=50))
                time.sleep(max(0.0, at - time.time()))
                return n

        opener.join(5)
    assert w.result.together == list(range(count))


def _open_when(ready: Path, count: int, gate: Path) -> None:
    """Name a moment in the near future as soon as `count` tasks are waiting for it."""
    tasks.wait_for(ready, seconds=50, lines_=count)
    tasks.note(gate, str(time.time() + 0.5))


def test_two_hundred_tasks_over_two_workers(use: Use, backend: Backend, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with backend.two_workers(tmp_path) as config:
        use(config)
        with weave(done=str(done)) as w:

            @w.do(range(200), environment="remote")
            def spread(n: int, done: str) -> tuple[int, int]:
                tasks.note(done, str(n))
                time.sleep(0.02)  # so that no worker can be done with all of them alone
                return n, os.getsid(0)

    numbers, sessions = zip(*w.result.spread, strict=True)
    assert numbers == tuple(range(200))
    assert sorted(map(int, tasks.lines(done))) == list(range(200))  # each ran once
    assert len(set(sessions)) == 2  # and neither worker was idle


def test_runs_say_what_happened(use: Use, backend: Backend) -> None:
    use()
    before = time.time()
    with weave() as w:

        @w.do
        def here() -> int:
            return 1

        @w.do(environment="remote")
        def there(here: int) -> int:
            return here + 1

    (run,) = [run for run in w.result.runs if run.task == "there"]
    assert (run.environment, run.backend, run.state) == ("remote", backend.executor, "succeeded")
    assert (run.attempt, run.item, run.cancel, run.error) == (0, None, None, None)
    assert run.backend_job_id
    assert 0 < len(run.run_id) <= 40
    assert before <= run.submitted_at <= run.started_at <= run.ended_at <= time.time()


def test_beats_of_a_healthy_long_task(use: Use, backend: Backend, callback_port: int) -> None:
    with proxy_to(callback_port) as proxy:
        use(_through(backend, proxy.url("beats"), callback_port), delivery_heartbeat_seconds=1)
        with weave() as w:

            @w.do(environment="remote")
            def long() -> str:
                time.sleep(4)
                return "healthy"

        assert w.result.long == "healthy"
        assert 8 <= len(proxy.frames("heartbeat")) <= 16  # every third of a second, for 4 s


@pytest.mark.parametrize("frame", ["task_started", "task_result"])
def test_the_receiver_cannot_be_reached_for_three_seconds(
    use: Use, backend: Backend, callback_port: int, tmp_path: Path, frame: str
) -> None:
    effects = tmp_path / "effects"
    with proxy_to(callback_port) as proxy:
        use(_through(backend, proxy.url("gap"), callback_port))
        proxy.rule = _refuse_once(proxy, frame, seconds=3.0)
        with weave(effects=str(effects)) as w:

            @w.do(environment="remote")
            def once(effects: str) -> str:
                tasks.note(effects)
                return "delivered"

        assert w.result.once == "delivered"
        # With `process` the task does not wait for the answer to its start: the gap then
        # shows in whichever event comes next.
        arrivals = proxy.frames("task_started", "task_result")
        assert len({request.event_id for request in arrivals}) == 2
        assert arrivals[-1].at - arrivals[0].at > 2.5
    assert len(tasks.lines(effects)) == 1


def _refuse_once(proxy: Proxy, frame: str, *, seconds: float) -> Rule:
    """At the first `frame`, nothing listens for so long: what comes is refused."""
    lose = first(frame, LOSE_REQUEST)
    begun = threading.Event()

    def gap() -> None:
        proxy.refuse()
        time.sleep(seconds)
        proxy.listen()

    def rule(request: Request) -> Action:
        if request.frame == frame and not begun.is_set():
            begun.set()
            threading.Thread(target=gap, daemon=True).start()
        return lose(request)

    return rule


def _through(backend: Backend, url: str, port: int) -> dict[str, Any]:
    """The shared workers, which report to `url` (a proxy before a receiver on `port`)."""
    return {**backend.executor_config(), "callback_port": port, "callback_url": url}
