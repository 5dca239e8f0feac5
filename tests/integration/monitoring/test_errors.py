"""What raises refusals: it knows the catalogue and nothing else."""

from helpers import Scene, raised


def test_an_unknown_error_name_raises_undefined_object(scene: Scene) -> None:
    with raised("42704"):
        scene.execute("SELECT birth.fn_birth_error('nothing_of_the_kind', 'x')")


def test_refusing_null_raises_nothing(scene: Scene) -> None:
    scene.execute("SELECT birth.fn_birth_refuse(NULL)")
