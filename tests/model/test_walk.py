"""Some dozens of random walks beside the model; ``make soak`` takes them for hours."""

from model.stage import Stage
from model.walk import walk


def test_database_and_model_agree_after_every_step_of_every_walk(stage: Stage) -> None:
    for seed in range(1, 41):
        print(f"again by: make soak SEED={seed} WALKS=1")
        walk(stage, seed)
    # So that nobody takes a stroll for a walk.
    assert stage.answers["call", "done"]
