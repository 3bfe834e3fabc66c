"""A report, built by a Taskiq worker: docs/taskiq.md says how to start one."""

from myapp.broker import broker
from myapp.reports import build_report, load_account

import wove
from wove import weave

wove.config(
    default_environment="default",
    environments={
        "default": {"executor": "local"},
        "reports": {
            "executor": "taskiq",
            "executor_config": {"broker": broker},
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


print(w.result.report)
