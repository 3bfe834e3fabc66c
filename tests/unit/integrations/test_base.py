"""What all adapters have."""

from __future__ import annotations

import asyncio

from wove.integrations.base import BackendAdapter


def test_an_adapter_may_be_called_on_one_loop_after_the_other() -> None:
    adapter = BackendAdapter(name="mine", config={}, callback_url="", run_config={})

    async def call() -> int:
        return await asyncio.wait_for(adapter.in_thread(lambda: 7), 30)

    assert [asyncio.run(call()) for _ in range(3)] == [7, 7, 7]
