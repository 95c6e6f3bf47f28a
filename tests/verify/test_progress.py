from __future__ import annotations

from rfcheck.verify.progress import Named


class Told:
    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def stage(self, name: str, total: int) -> None:
        self.heard.append((name, total))

    def step(self, note: str = "") -> None:
        self.heard.append((note,))


def test_stages_of_a_piece_are_named_after_it():
    told = Told()
    piece = Named("truncate, seed 1", told)
    piece.stage("training", 3)
    piece.step("accuracy 10%")
    piece.step()
    assert told.heard == [("truncate, seed 1: training", 3), ("accuracy 10%",), ("",)]
