"""A report, built by an arq worker: docs/arq.md says how to start one."""

from myapp.reports import build_report, load_account

import wove
from wove import weave

wove.config(
    default_environment="default",
    environments={
        "default": {"executor": "local"},
        "reports": {
            "executor": "arq",
            "executor_config": {"redis_settings": "redis://redis:6379/0", "queue_name": "reports"},
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
