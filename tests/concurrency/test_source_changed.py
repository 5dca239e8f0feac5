"""A planned row that is deleted, re-keyed or born otherwise ends the run as stopped: never as failed, never as done."""

import pytest
from helpers import Run, Scene, refused

from birthdb import errors


def delete(scene: Scene) -> None:
    scene.execute("DELETE FROM item WHERE id = 15")


def delete_the_last(scene: Scene) -> None:
    scene.execute("DELETE FROM item WHERE id = 20")


def rekey(scene: Scene) -> None:
    scene.execute("UPDATE item SET id = 999 WHERE id = 15")


def rekey_within_the_range(scene: Scene) -> None:
    scene.execute("DELETE FROM item WHERE id = 16")
    scene.execute("UPDATE item SET id = 16 WHERE id = 15")


def be_born_otherwise(scene: Scene) -> None:
    scene.born("item", "item-15")


CHANGES = [delete, delete_the_last, rekey, rekey_within_the_range, be_born_otherwise]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_source_change_during_the_run_stops_it_and_keeps_births(scene: Scene, run: Run, change: object) -> None:
    assert callable(change)
    driver = scene.start(run)
    change(scene)
    scene.tune(run, 5, 0)
    with refused(errors.SourceChanged):
        driver.end()
    assert scene.status(run) == ("stopped", "source_changed")
    kept = scene.codes(run)
    assert {"item-1", "item-2", "item-3", "item-4", "item-5"} <= set(kept)
    assert scene.permit_row(run.permit_id)["spent_rows"] == len(kept)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_run_stopped_by_a_source_change_is_replaced_by_a_new_plan(scene: Scene, run: Run, change: object) -> None:
    assert callable(change)
    driver = scene.start(run)
    change(scene)
    scene.tune(run, 5, 0)
    with refused(errors.SourceChanged):
        driver.end()
    with scene.unchanged(), refused(errors.SourceChanged):
        scene.apply(run)
    plan = scene.plan("item")
    assert plan["predecessor"] == run.run_id
    follower = scene.permitted("item")
    scene.apply(follower)
    assert scene.status(follower) == ("done", None)
    assert scene.status(run) == ("stopped", "source_changed")
    assert scene.examine("item")["expected_delta"] == 0


def test_a_source_change_between_stop_and_resume_is_found_before_writing(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    delete(scene)
    with scene.unchanged(), refused(errors.SourceChanged):
        scene.apply(run)


def test_a_change_before_the_first_batch_is_a_stale_plan(scene: Scene, run: Run) -> None:
    delete(scene)
    with scene.unchanged(), refused(errors.PlanStale):
        scene.apply(run)


def test_rows_added_below_the_marker_without_gateway_do_not_extend_the_run(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("INSERT INTO item VALUES (0, 'behind'), (-1, 'behind')")
    scene.go_on(run)
    driver.end()
    assert scene.status(run) == ("done", None)
    assert len(scene.codes(run)) == 20
    assert scene.examine("item")["expected_delta"] == 2


def test_rows_added_above_the_range_without_gateway_are_left_for_the_next_plan(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.insert("item", 21, 40)
    scene.go_on(run)
    driver.end()
    assert scene.status(run) == ("done", None)
    assert scene.ledger(run)["actual_inserted"] == 20
    assert scene.examine("item")["expected_delta"] == 20


def test_rows_added_in_the_range_without_gateway_never_exceed_the_permit(scene: Scene) -> None:
    scene.execute("CREATE TABLE public.item (id integer PRIMARY KEY, note text)")
    scene.execute("INSERT INTO item SELECT g * 10, 'row' FROM generate_series(1, 20) g")
    scene.govern("item", "synthetic_id", column="id", prefix="item-")
    run = scene.permitted("item")
    driver = scene.start(run)
    scene.execute("INSERT INTO item VALUES (101, 'late'), (102, 'late')")
    scene.go_on(run)
    with refused(errors.SourceChanged):
        driver.end()
    assert scene.status(run) == ("stopped", "source_changed")
    assert len(scene.codes(run)) == 5


def test_deleting_all_rows_during_the_run_stops_it(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("TRUNCATE item")
    scene.go_on(run)
    with refused(errors.SourceChanged):
        driver.end()
    assert scene.status(run) == ("stopped", "source_changed")
    assert len(scene.codes(run)) == 5


def test_rows_already_written_may_be_deleted_without_stopping_the_run(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("DELETE FROM item WHERE id = 3")
    scene.go_on(run)
    driver.end()
    assert scene.status(run) == ("done", None)


def test_a_code_taken_by_another_collection_during_the_run_fails_it(scene: Scene, run: Run) -> None:
    scene.collection("other", 1)
    driver = scene.start(run)
    scene.born("other", "item-15")
    scene.go_on(run)
    with refused(errors.CodeForeign) as caught:
        driver.end()
    assert "item-15" in str(caught.value.diag.message_detail)
    assert scene.status(run) == ("failed", "code_foreign")
    assert len(scene.codes(run)) == 5


def test_a_code_taken_by_another_collection_below_the_marker_is_found_at_the_end(scene: Scene, run: Run) -> None:
    scene.collection("other", 1)
    driver = scene.start(run)
    scene.execute("INSERT INTO item VALUES (0, 'behind')")
    scene.born("other", "item-0")
    scene.go_on(run)
    with refused(errors.CodeForeign):
        driver.end()
    assert scene.status(run) == ("failed", "code_foreign")


def test_a_table_that_is_altered_during_the_run_fails_it(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("ALTER TABLE item ALTER id TYPE text USING id::text")
    scene.go_on(run)
    with refused(errors.IdentityNotEligible):
        driver.end()
    assert scene.status(run) == ("failed", "identity_not_eligible")


def test_a_table_that_is_dropped_during_the_run_fails_it(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("DROP TABLE item")
    scene.go_on(run)
    with refused(errors.IdentityNotEligible):
        driver.end()
    assert scene.status(run) == ("failed", "identity_not_eligible")
    assert len(scene.codes(run)) == 5
