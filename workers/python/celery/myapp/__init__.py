"""An application of the kind that has Celery workers already."""
