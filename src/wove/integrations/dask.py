"""Dask: tasks of an environment run on the workers of a Dask cluster.

The weave's side is `DaskAdapter` (`"executor": "dask"`). Workers need nothing but
`wove` importable: what is submitted is `run_payload` of this module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from wove.errors import ErrorCode, SubmissionError
from wove.integrations._dask_cluster import CONNECT_SECONDS, Cluster, DaskJob, address_of
from wove.integrations._reporting import run_and_show_failure as run_payload
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

__all__ = ["DaskAdapter", "DaskJob", "run_payload"]


class DaskAdapter(BackendAdapter):
    """Submits payloads to a Dask scheduler, one Dask task each.

    Settings (`executor_config`), beside those of the callback:

    - `client`: a `distributed.Client` of yours, which stays yours and open; or `address`,
      the scheduler's, such as "tcp://scheduler:8786", with `client_options`: further
      arguments of `distributed.Client` (`security`, `scheduler_file`, ...).
    - `submit_options`: further arguments of `Client.submit`, such as `resources` or
      `priority`; they beat ours, `key` too.

    Dask runs a task again whose worker died, as often as the scheduler's
    `distributed.scheduler.allowed-failures` says; it cannot be told otherwise per task.
    """

    settings = frozenset({"address", "client", "client_options", "submit_options"})
    required_modules = ("distributed",)
    install_hint = "pip install 'wove[dask]'"
    knows_queued = True
    supports = Supports(cancel_queued=True, cancel_running="none", poll=True, idempotent=True)

    async def start(self) -> None:
        """Check the settings. Does not connect: the first submission does.

        Raises:
            TypeError: neither `client` nor an address is set, or `client` is no Dask client.
        """
        config = self.config
        for name in ("client_options", "submit_options"):
            if not isinstance(config.get(name) or {}, Mapping):
                raise TypeError(f"executor_config[{name!r}] must be a dictionary of arguments")
        self._options = dict(config.get("submit_options") or {})
        client, options = config.get("client"), dict(config.get("client_options") or {})
        if config.get("address"):
            options["address"] = config["address"]
        if client is None and not (options.get("address") or options.get("scheduler_file")):
            raise TypeError(
                "the dask executor needs 'address' or 'client' in executor_config, "
                "such as 'address': 'tcp://scheduler:8786'"
            )
        self._setting = (
            "the address of executor_config['client']"
            if client is not None
            else "executor_config['address']"
        )
        self._address = await self.in_thread(address_of, client, options)
        self.warn_of_local_callback(self._address)
        self._cluster = Cluster(client, options)
        self._connecting: asyncio.Task[None] | None = None

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> DaskJob:
        """Submit `payload` as the only argument of `run_payload`.

        Raises:
            SubmissionError: the scheduler could not be reached in 10 seconds
                (`BACKEND_UNAVAILABLE`), or has a task of that key (`DUPLICATE_KEY`).
        """
        key = f"{payload['task_name']}-{self.job_id_for(payload, frame)}"
        options = {"key": key, "pure": False, "retries": 0, **self._options}
        keyed = bool(frame.get("job_id")) or "key" in self._options
        await self._connected()
        submitting = self.in_thread(
            self._cluster.submit,
            run_payload,
            payload,
            options,
            refuse_duplicate=keyed,
            keep=frame["delivery"].get("delivery_orphan_policy") == "detach",
            on_change=lambda: self.changed(payload["run_id"]),
        )
        try:
            return await asyncio.wait_for(submitting, CONNECT_SECONDS)
        except asyncio.TimeoutError as error:
            # The thread may still submit later. The start gate turns such a job away.
            raise self._unavailable("") from error

    async def cancel(
        self, run_id: str, submission: DaskJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Take the task from the scheduler: one that no worker has does not start.

        A worker that runs it goes on; the answer to its next event stops it.
        """
        taken = self.in_thread(self._cluster.cancel, submission)
        return "stopped" if await asyncio.wait_for(taken, CONNECT_SECONDS) else "asked"

    async def poll(self, submissions: Mapping[str, DaskJob]) -> Mapping[str, BackendState]:
        """What the scheduler has told of the tasks, and whether a worker runs them."""
        asked = self.in_thread(self._cluster.ask, submissions)
        return await asyncio.wait_for(asked, CONNECT_SECONDS)

    async def close(self) -> None:
        """Close our client; a client of the user's is left as it is."""
        await self.in_thread(self._cluster.close)

    async def _connected(self) -> None:
        if self._cluster.is_connected():
            return
        if self._connecting is None or self._connecting.done():
            connect = self.in_thread(self._cluster.connect)
            self._connecting = asyncio.create_task(asyncio.wait_for(connect, CONNECT_SECONDS))
            # Those who wait for it may be cancelled before it fails.
            self._connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            await asyncio.shield(self._connecting)
        except (OSError, asyncio.TimeoutError) as error:
            raise self._unavailable(str(error).rstrip(".")) from error

    def _unavailable(self, reason: str) -> SubmissionError:
        reason = reason or f"no answer in {CONNECT_SECONDS:g} s"
        return SubmissionError(
            f"dask cannot reach its scheduler at {self._address}, which is {self._setting}: "
            f"{reason}. The task has not run. Check that the scheduler runs and that this "
            "process can reach that address.",
            code=ErrorCode.BACKEND_UNAVAILABLE,
            backend="dask",
            reason=reason,
        )
