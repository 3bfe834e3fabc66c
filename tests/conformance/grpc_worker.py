"""The Python worker, and wrong ones made of it: `grpc_worker.py --wrong NAME [PAYLOAD]`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from wove import backend_worker
from wove.worker import grpc_route, routes
from wove.worker.answers import Answer, Verdict
from wove.worker.grpc_route import GrpcRoute

ROOT = Path(__file__).parents[2]


def main(name: str, arguments: list[str]) -> int:
    change: Any = grpc_route
    if name == "ignores-pushes":
        change._GrpcLine._pushed = lambda line, run_id: None
    elif name == "beats-by-calls":
        post = GrpcRoute.post
        change.GrpcRoute.post = lambda self, body, *, line=None, **options: post(
            self, body, **options
        )
    elif name == "no-http":
        lost = Answer(Verdict.RETRY, "no channel")
        change.GrpcRoute.__init__ = without_http(GrpcRoute.__init__, lost)
    elif name == "keeps-lost-channels":
        change._is_lost = lambda error: False
        change._is_nobodys = lambda peer, error: False
    elif name == "no-grpc":
        routes._has_grpc = lambda: False  # type: ignore[assignment]
    elif name == "trusts-anybody":
        judge = change.judge_status
        change.judge_status = lambda *parts, **facts: judge(*parts, **{**facts, "receiver_id": ""})
    elif name == "wrong-token":
        parse = change.Target.parse
        change.Target.parse = lambda url: parse(url + "x")
    runpy.run_path(str(ROOT / "workers/python/tasks/worker.py"))
    return backend_worker.main(arguments)


def without_http(init: Any, lost: Answer) -> Any:
    class Nowhere:
        def post(self, *parts: Any, **options: Any) -> Answer:
            return lost

    def changed(self: GrpcRoute, *parts: Any, **options: Any) -> None:
        init(self, *parts, **{**options, "otherwise": Nowhere()})

    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[2], sys.argv[3:]))
