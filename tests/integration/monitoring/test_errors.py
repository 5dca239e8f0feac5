"""What raises refusals: it knows the catalogue and nothing else."""

from helpers import Scene, raised


def test_an_error_that_the_catalogue_does_not_have_is_a_mistake_of_the_routine_that_asks_for_it(scene: Scene) -> None:
    with raised("42704"):
        scene.execute("SELECT birth.fn_birth_error('nothing_of_the_kind', 'x')")


def test_nothing_amiss_is_no_refusal(scene: Scene) -> None:
    scene.execute("SELECT birth.fn_birth_refuse(NULL)")
