from __future__ import annotations

import torch

from rfcheck.graph.operators import meaning_of
from rfcheck.graph.recorder import Recorder
from rfcheck.target.unknown_operator import apply_unknown


def test_results_have_the_shapes_that_were_asked_for():
    x = torch.empty(1, 3, 8, 8, device="meta")
    made = apply_unknown("testlib", "strange", [x, x], [(1, 3, 8, 8), (), (2, 0)], torch.float16)
    assert [(tuple(t.shape), t.dtype, t.is_meta) for t in made] == [
        ((1, 3, 8, 8), torch.float16, True),
        ((), torch.float16, True),
        ((2, 0), torch.float16, True),
    ]


def test_the_operator_is_recorded_under_its_name_and_has_no_meaning():
    recorder = Recorder(hold_tensors=True, use_shape_rules=True)
    x = torch.empty(1, 3, 8, 8, device="meta")
    recorder.add_input(x)
    with recorder:
        apply_unknown("com.test-lib", "strange.Op", [x], [(1, 3, 8, 8)], torch.float32)
    (record,) = recorder.recording.records
    assert record.func._schema.name == "com_test_lib::strange_Op"
    assert meaning_of(record.func) is None


def test_the_library_itself_may_still_define_the_operator():
    apply_unknown("latelib", "op", [torch.empty(1, device="meta")], [(1,)], torch.float32)
    torch.library.define("latelib::op", "(Tensor x) -> Tensor")
    assert torch.ops.latelib.op.default._schema.name == "latelib::op"
