"""What v_qt001_apply_runtime_status claims of the writer: a test each, which fails when the guard is taken out.

`python -m birthdb.release.prove` runs them both ways; see sql/claims.toml.
"""

from helpers import Scene, refused

from birthdb import errors


def test_the_writer_registers_each_row_through_the_register_door(scene: Scene, item: str) -> None:
    scene.born(item, "item-3")
    run = scene.permitted(item)
    assert scene.write(run)["actual_inserted"] == 19
    assert scene.births() == 20


def test_the_writer_does_what_it_reports(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    answer = scene.write(run)
    assert (answer["status"], answer["actual_inserted"]) == ("done", 20)
    assert scene.codes(run) == sorted(f"item-{number}" for number in range(1, 21))


def test_the_writer_is_not_done_when_the_registry_holds_less_than_it_counted(scene: Scene, item: str) -> None:
    scene.forged = True
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'")
    scene.go_on(run)
    with refused(errors.FalseDone):
        driver.end()
    assert scene.status(run) == ("failed", "false_done")


def test_the_writer_fails_when_another_collection_takes_a_planned_code(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    driver = scene.start(run)
    scene.born("another", "item-15")
    scene.go_on(run)
    with refused(errors.CodeForeign):
        driver.end()
    assert scene.status(run) == ("failed", "code_foreign")


def test_the_writer_refuses_orphans_that_no_verdict_accepted(scene: Scene, item: str) -> None:
    scene.born(item, "item-old-1", "item-old-2")
    run = scene.permitted(item)
    with scene.unchanged(), refused(errors.ParityBroken):
        scene.apply(run)
