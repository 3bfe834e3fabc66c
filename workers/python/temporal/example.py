"""A report whose heavy part runs in a Temporal worker. docs/temporal.md says how to start it."""

import os

from reports import build_report, load_account

import wove
from wove import weave

wove.config(
    environments={
        "reports": {
            "executor": "temporal",
            "executor_config": {
                "target_host": os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"),
                "task_queue": "reports",
            },
            "delivery_timeout": 60.0,
        },
    },
)

with weave() as w:

    @w.do
    def account():
        return load_account()

    @w.do(environment="reports")
    def report(account):
        return build_report(account)


print(w.result.report["balance"], "for", w.result.account["name"])
