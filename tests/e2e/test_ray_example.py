"""The example of docs/ray.md, on the run's cluster."""

from __future__ import annotations

import pytest

from tests.e2e.pages import commands_of, environment, output_of
from tests.services import ROOT, shared, start_ray

FOLDER = ROOT / "workers" / "python" / "ray"


@pytest.mark.xdist_group("adapters-ray")
@pytest.mark.timeout(240)
def test_the_page_says_how() -> None:
    start, example = commands_of("ray.md")
    # A node is started as the page says by the run's own fixture: its ports are the machine's.
    assert start.startswith("ray start --head --port 6379 ")
    env = environment({"RAY_CLUSTER": shared("ray", start_ray)})
    assert output_of(example, folder=FOLDER, env=env) == "3.14\n"
