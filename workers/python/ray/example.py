"""A Monte Carlo estimate of pi, drawn on a Ray cluster. docs/ray.md says how to start it."""

import os
import random

import wove
from wove import weave

wove.config(
    environments={
        "cluster": {
            "executor": "ray",
            "executor_config": {
                "address": os.environ.get("RAY_CLUSTER", "localhost:6379"),
                "remote_options": {"num_cpus": 1},
            },
            "delivery_timeout": 120.0,
        },
    },
)

with weave(throws=100_000) as w:

    @w.do(range(4), environment="cluster")
    def hits(seed, throws):
        draw = random.Random(seed).random
        return sum(draw() ** 2 + draw() ** 2 <= 1 for _ in range(throws))

    @w.do
    def pi(hits, throws):
        return 4 * sum(hits) / (throws * len(hits))


print(f"{w.result.pi:.2f}")
