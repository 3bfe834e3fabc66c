"""Word counts of a few texts, each counted on a Dask worker. docs/dask.md says how to start it."""

import os
from collections import Counter

import wove
from wove import weave

wove.config(
    environments={
        "cluster": {
            "executor": "dask",
            "executor_config": {
                "address": os.environ.get("DASK_ADDRESS", "tcp://localhost:8786"),
            },
            "delivery_timeout": 60.0,
        },
    },
)

TEXTS = ["the cat sat", "on the mat", "the end"]

with weave() as w:

    @w.do(TEXTS, environment="cluster")
    def counts(text):
        return Counter(text.split())

    @w.do
    def most_common(counts):
        return sum(counts, Counter()).most_common(1)


print(w.result.most_common)
