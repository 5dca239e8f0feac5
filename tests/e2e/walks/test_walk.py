"""Some dozens of random walks beside the model; ``make test-long`` takes them for hours."""

import pytest
from model.stage import Stage
from model.walk import MET, SEEDS, walk


@pytest.mark.parametrize("seeds", [SEEDS[:12], SEEDS[12:24]], ids=["the first dozen", "the second dozen"])
def test_database_and_model_agree_after_every_step_of_every_walk(stage: Stage, seeds: range) -> None:
    for seed in seeds:
        print(f"again by: make test-long ONLY=soak SEED={seed} WALKS=1")
        walk(stage, seed)
    # So that nobody takes a stroll for a walk: half of what long walks meet, one run is finished in each, and every
    # second one is begun again.
    assert len(MET & stage.answers.keys()) >= len(MET) // 2
    assert stage.ends["done"] + stage.ends["compensated"] >= len(seeds)
    assert stage.ends["resumed"] >= len(seeds) // 2
    assert stage.ends["compensated"] >= len(seeds) // 8
