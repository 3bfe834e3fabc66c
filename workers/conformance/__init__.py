"""The conformance runner: any worker that is a command, against a receiver that misbehaves.

`python -m workers.conformance -- ./my-worker` runs it; docs/writing-a-worker.md says what a
worker must do. Cases are in `cases/`, one function each, written once for all encodings.
"""
