"""What the file itself calls its models with."""

from __future__ import annotations

import ast

from rfcheck.target.examples import examples_of
from rfcheck.target.obvious import Example

CODE = """
WIDTHS = {0.5: [1], 1.0: [2]}
class Net:
    def __init__(self, width, depth, names):
        self.widths = WIDTHS[width]
        self.other = names[depth]
def test():
    plan = [1, 2]
    Net(0.5, plan, object())
    Net(object(), depth=3, names=plan)
if __name__ == "__main__":
    Net(width=1.0)
"""


def test_calls_with_literals_and_keys_of_tables():
    assert examples_of("Net", ast.parse(CODE), {"WIDTHS": {0.5: [1], 1.0: [2]}, "names": 3}) == [
        Example((0.5, [1, 2])),
        Example((), {"depth": 3, "names": [1, 2]}),
        Example((), {"width": 1.0}),
        Example((), {"width": 0.5}),
    ]
    assert examples_of("test", ast.parse(CODE), {}) == []
