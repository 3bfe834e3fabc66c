"""Celery: tasks of an environment run in Celery workers, reached through a broker.

The weave's side is `CeleryAdapter` (`"executor": "celery"`). The worker's side is
one task that hands its only argument to `wove.integrations.worker.run`;
`register(app)` adds it to an application, `wove worker celery` starts a worker
that has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wove.integrations._celery_broker import CeleryBroker, CeleryJob, broker_url, kept_broker
from wove.integrations._celery_options import check_send_options, send_options
from wove.integrations._celery_state import was_terminated
from wove.integrations._celery_task import DEFAULT_TASK_NAME, register
from wove.integrations._celery_url import UNUSABLE, address_of, check_result_backend, unusable
from wove.integrations._service import Service
from wove.integrations._url import masked
from wove.integrations.base import BackendAdapter, BackendState, CancelOutcome, Supports

__all__ = ["DEFAULT_TASK_NAME", "CeleryAdapter", "CeleryJob", "register"]

AT_ONCE = 8
"""Calls at once, each in a thread, to the broker of an application with connections of its own."""

AT_ONCE_ON_ONE = 2
"""The same over one connection: the next is ready when it is free, and no others contend."""


class CeleryAdapter(BackendAdapter):
    """Submits payloads to Celery with `send_task`.

    Settings (`executor_config`), beside those of the callback:

    - `app`: a Celery application of yours; or `broker_url`, with `result_backend`
      (also `backend_url`) and `app_name` ("wove"). An `app` stays yours: it is
      configured by you, and never closed here.
    - `task_name` ("wove.run_backend_payload"): the worker's task.
    - `queue`: the queue; the application's routing decides without it.
    - `send_task_options`: further arguments of `send_task`; they beat ours, and
      `queue` beats them. Those of `_celery_options.FIXED` are refused.
    - `terminate_on_cancel` (False): end the process of a running job on cancel.
      Without it a cancelled job is stopped by the acknowledgement of its events.
    """

    settings = frozenset(
        {
            "app",
            "app_name",
            "backend_url",
            "broker_url",
            "queue",
            "result_backend",
            "send_task_options",
            "task_name",
            "terminate_on_cancel",
        }
    )
    required_modules = ("celery",)
    install_hint = "pip install celery"
    knows_queued = False  # Celery answers PENDING for an id that it has never seen
    supports = Supports(cancel_queued=True, cancel_running="asks", poll=True, idempotent=False)

    async def start(self) -> None:
        """Make or take the application. Does not connect: the first submission does.

        Raises:
            TypeError: neither `app` nor `broker_url` is set, `app` is no Celery application,
                or `send_task_options` has what Wove must choose.
            MissingPackageError: the broker's URL needs a package that is not installed.
            ValueError: Celery has no broker for the URL's scheme, or no result backend.
        """
        config = self.config
        self._task_name = str(config.get("task_name") or DEFAULT_TASK_NAME)
        self._terminate = bool(config.get("terminate_on_cancel", False))
        if self._terminate:
            self.supports = replace(self.supports, cancel_running="stops")
        self._chosen = check_send_options(config.get("send_task_options"))
        app = config.get("app")
        if app is None and not config.get("broker_url"):
            raise TypeError(
                "the celery executor needs 'broker_url' or 'app' in executor_config, "
                "such as 'broker_url': 'redis://localhost:6379/0'"
            )
        # In threads: Celery and kombu load their modules as they are first used.
        if app is None:
            self._setting = "executor_config['broker_url']"
            address = masked(broker_url(config))
            make = self.in_thread(kept_broker, config)
        else:
            self._setting = "the broker_url of the application in executor_config['app']"
            address = await self.in_thread(_address_of_application, app)
            make = self.in_thread(CeleryBroker, app, None)
        try:
            self._broker = await make
            self.warn_of_local_callback(address)
        except UNUSABLE as error:
            cause = None if isinstance(error, ValueError) else error  # it may quote the password
            raise unusable(error, address, self._setting) from cause
        at_once = AT_ONCE_ON_ONE if app is None else AT_ONCE
        self._service = Service("celery", "its broker", address, self._setting, at_once=at_once)
        results = "result_backend" if config.get("result_backend") else "backend_url"
        if app is None and config.get(results):
            setting = f"executor_config[{results!r}]"
            await self.in_thread(check_result_backend, self._broker.app, setting)

    async def submit(self, payload: dict[str, Any], frame: dict[str, Any]) -> CeleryJob:
        """Publish `payload` as the only argument of the worker's task.

        Raises:
            SubmissionError: the broker refused it (`SUBMIT_FAILED`), or could not be
                reached in 10 seconds (`BACKEND_UNAVAILABLE`).
            MissingPackageError: the broker's URL needs a package that is not installed.
        """
        options = send_options(
            payload,
            frame,
            job_id=self.job_id_for(payload, frame),
            chosen=self._chosen,
            queue=self.config.get("queue"),
        )
        return await self._service.call(lambda: self._send(payload, options))

    async def _send(self, payload: dict[str, Any], options: dict[str, Any]) -> CeleryJob:
        try:
            return await self.in_thread(self._broker.send, self._task_name, payload, options)
        except asyncio.CancelledError:  # by the time limit, or by the weave
            # The connection may have gone silent, and the next weave's submissions want it.
            self._broker.leave_connection()
            raise
        except ImportError as error:
            # Of a second broker, which is looked at only when the first one is down.
            raise unusable(error, self._service.address, self._setting) from error
        except Exception as error:
            reason = str(error) or type(error).__name__
            if self._broker.is_connection_trouble(error):
                raise self._service.unavailable(reason) from error
            raise self._service.refused(reason) from error

    async def cancel(
        self, run_id: str, submission: CeleryJob, frame: dict[str, Any]
    ) -> CancelOutcome | None:
        """Revoke the job: workers drop it if it is queued.

        With `terminate_on_cancel` a worker that runs it ends the process that does.
        Under `require_ack` the workers' answers are collected: one that says so is proof.
        """
        wait = self._terminate and frame.get("delivery_cancel_mode") == "require_ack"
        answers = await self._service.ask(
            lambda: self.in_thread(
                self._broker.revoke,
                submission.id,
                terminate=self._terminate,
                wait_for_answers=wait,
            )
        )
        return "stopped" if was_terminated(submission, answers) else "asked"

    async def poll(self, submissions: Mapping[str, CeleryJob]) -> Mapping[str, BackendState]:
        """What the result backend, and then the workers, know of the jobs."""
        return await self.in_thread(self._broker.ask, dict(submissions))


def _address_of_application(app: Any) -> str:
    from celery import Celery

    if not isinstance(app, Celery):
        got = f"the str {masked(app)!r}" if isinstance(app, str) else f"a {type(app).__name__}"
        raise TypeError(
            "executor_config['app'] must be a Celery application, the object itself, "
            f"not {got}; without one, set 'broker_url'"
        )
    return address_of(app)
