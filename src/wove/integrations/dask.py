"""Dask: tasks of an environment run on the workers of a Dask cluster.

The weave's side is `DaskAdapter` (`"executor": "dask"`). Workers need nothing but
`wove` importable: what is submitted is `run_payload` of this module.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from wove.integrations._dask_cluster import (
    Cluster,
    DaskJob,
    KnownKeyError,
    address_of,
    is_over,
)
from wove.integrations._news import News
from wove.integrations._reporting import run_and_show_failure as run_payload
from wove.integrations._service import Service
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
        if client is not None:
            setting = "the address of executor_config['client']"
        elif config.get("address"):
            setting = "executor_config['address']"
        else:
            option = "address" if options.get("address") else "scheduler_file"
            setting = f"executor_config['client_options'][{option!r}]"
        address = await self.in_thread(address_of, client, options)
        if not address.startswith("inproc:"):  # whose workers are threads of this process
            self.warn_of_local_callback(address)
        self._cluster = Cluster(client, options)
        # Holds each until Dask has told of its end: its run may have ended before.
        self._news: News[DaskJob] = News(_over, self.changed)
        self._service = Service("dask", "its scheduler", address, setting)

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> DaskJob:
        """Submit `payload` as the only argument of `run_payload`.

        Raises:
            SubmissionError: the scheduler could not be reached in 10 seconds
                (`BACKEND_UNAVAILABLE`), or has a task of that key (`DUPLICATE_KEY`).
        """
        key = f"{payload['task_name']}-{self.job_id_for(payload, frame)}"
        options = {"key": key, "pure": False, "retries": 0, **self._options}
        send = functools.partial(
            self._cluster.submit,
            run_payload,
            payload,
            options,
            refuse_duplicate=bool(frame.get("job_id")) or "key" in self._options,
            keep=frame["delivery"].get("delivery_orphan_policy") == "detach",
        )
        job = await self._service.call(lambda: self._send(send))
        self._news.add(payload["run_id"], job)
        return job

    async def _send(self, send: Callable[[], DaskJob]) -> DaskJob:
        if not self._cluster.is_connected():
            try:
                await self._service.connect(lambda: self.in_thread(self._cluster.connect))
            except OSError as error:
                raise self._service.unavailable(str(error) or type(error).__name__) from error
        try:
            return await self.in_thread(send)
        except KnownKeyError as error:
            raise self._service.duplicate(str(error)) from error

    async def cancel(
        self, run_id: str, submission: DaskJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Take the task from the scheduler: one that no worker has does not start.

        A worker that runs it goes on; the answer to its next event stops it.
        """
        cancelling = self._service.ask(lambda: self.in_thread(self._cluster.cancel, submission))
        return "stopped" if await cancelling else "asked"

    async def poll(self, submissions: Mapping[str, DaskJob]) -> Mapping[str, BackendState]:
        """What the scheduler has told of the tasks, and whether a worker runs them."""
        return await self._service.ask(lambda: self.in_thread(self._cluster.ask, submissions))

    async def close(self) -> None:
        """Close our client; a client of the user's is left as it is."""
        await self.in_thread(self._cluster.close, await self._news.stop())


def _over(jobs: Mapping[str, DaskJob]) -> list[str]:
    return [run_id for run_id, job in jobs.items() if is_over(job)]
