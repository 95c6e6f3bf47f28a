from __future__ import annotations

from rfcheck.verify.progress import Named

from .told import Told


def test_stages_of_a_piece_are_named_after_it():
    told = Told()
    piece = Named("truncate, seed 1", told)
    piece.stage("training", 3)
    piece.step("accuracy 10%")
    piece.step()
    assert told.heard == [("truncate, seed 1: training", 3), "accuracy 10%", ""]
