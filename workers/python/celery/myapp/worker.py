"""The worker's side, written by hand: `celery -A myapp.worker worker`.

`wove worker celery --task-name myapp.wove_task` starts the same without this file.
"""

import os

from celery import Celery

from wove.integrations.celery import register

app = Celery("myapp", broker=os.environ.get("BROKER_URL", "redis://redis:6379/0"))
register(app, name="myapp.wove_task")
