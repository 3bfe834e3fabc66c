"""`make demo`: a weave with one task in this process and one elsewhere.

python scripts/demo.py process    the other task runs in a worker process of this machine
python scripts/demo.py celery     the documentation's example, through Redis and a Celery worker
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    backend = sys.argv[1] if len(sys.argv) > 1 else "process"
    if backend == "process":
        import demo_process as demo
    elif backend == "celery":
        import demo_celery as demo
    else:
        sys.exit(f"demo: BACKEND={backend} is not known; there are: process, celery")
    sys.exit(demo.main())
