"""Ray: tasks of an environment run on the workers of a Ray cluster.

The weave's side is `RayAdapter` (`"executor": "ray"`). Workers need nothing but `wove`
importable: what is submitted is a function of Wove's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wove.integrations._ray_cluster import RayJob, cancel, states, submit
from wove.integrations._ray_connection import (
    NOT_CONNECTED,
    connect,
    node_is_gone,
    node_of_this_process,
    refusal_in,
)
from wove.integrations._service import Service
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

__all__ = ["RayAdapter", "RayJob"]


class RayAdapter(BackendAdapter):
    """Submits payloads to Ray, one Ray task each.

    Settings (`executor_config`), beside those of the callback:

    - `init` (True): connect this process to Ray, unless it is connected already. False:
      your program calls `ray.init` itself.
    - `address`: the cluster's, such as "ray-head:6379", "auto" or "local"; without one Ray
      decides, and may start a cluster on this machine.
    - `init_options`: further arguments of `ray.init`.
    - `remote_options`: further arguments of `.options()` of the Ray task, such as
      `num_cpus` or `resources`; they beat ours (`name`, `max_retries=0`).
    - `force_cancel` (False): end the process of a running job on cancel. Without it a
      cancelled job is stopped by the acknowledgement of its events.

    A process has one connection to Ray, which stays open after the weave.
    """

    settings = frozenset({"address", "force_cancel", "init", "init_options", "remote_options"})
    required_modules = ("ray",)
    install_hint = "pip install 'wove[ray]'"
    knows_queued = True
    supports = Supports(cancel_queued=True, cancel_running="asks", poll=True, idempotent=False)

    async def start(self) -> None:
        """Check the settings. Does not connect: the first submission does.

        Raises:
            TypeError: an option is of the wrong type.
        """
        config = self.config
        for name in ("init_options", "remote_options"):
            if not isinstance(config.get(name) or {}, Mapping):
                raise TypeError(f"executor_config[{name!r}] must be a dictionary of arguments")
        self._options = dict(config.get("remote_options") or {})
        self._init = dict(config.get("init_options") or {})
        if config.get("address"):
            self._init["address"] = config["address"]
        self._force = bool(config.get("force_cancel", False))
        if self._force:
            self.supports = replace(self.supports, cancel_running="stops")
        address = self._init.get("address")
        if isinstance(address, str) and ":" in address:
            self.warn_of_local_callback(address if "://" in address else f"ray://{address}")
        where = str(address or "the address that Ray finds by itself")
        self._service = Service("ray", "its cluster", where, "executor_config['address']")
        self._is_connected = False

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> RayJob:
        """Submit `payload` as the only argument of a Ray task.

        Raises:
            SubmissionError: the cluster could not be reached (`BACKEND_UNAVAILABLE`), or did
                not take this process's token (`SUBMIT_FAILED`).
        """
        await self._connected()
        options = {"name": payload["task_name"], "max_retries": 0, **self._options}
        run_id = payload["run_id"]
        return await self.in_thread(submit, payload, options, lambda: self.changed(run_id))

    async def cancel(
        self, run_id: str, submission: RayJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Take a queued task from Ray; with `force_cancel` end a running one's process."""
        return "stopped" if await self.in_thread(cancel, submission, force=self._force) else "asked"

    async def poll(self, submissions: Mapping[str, RayJob]) -> Mapping[str, BackendState]:
        """What Ray has told this process, which owns the tasks, of them."""
        return states(submissions)

    async def _connected(self) -> None:
        if self._is_connected and not node_is_gone(node_of_this_process()):
            return
        wanted = bool(self.config.get("init", True))
        try:
            await self._service.connect(lambda: self.in_thread(connect, self._init, wanted=wanted))
        except NOT_CONNECTED as error:
            refusal = refusal_in(f"{error}\n{error.__cause__}")
            if refusal:
                raise self._service.refused(refusal) from error
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise self._service.unavailable(reason) from error
        self._is_connected = True
