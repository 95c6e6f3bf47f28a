from __future__ import annotations

import torch

from rfcheck.verify.probes.curvature import Curvature, dot


def test_the_last_pair_is_met():
    """The approximation of the inverse Hessian turns the last change of the gradient into the step that made it."""
    curvature = Curvature()
    for _ in range(15):
        step = torch.randn(2, 3, 4, dtype=torch.float64)
        change = step * torch.rand(3, 4, dtype=torch.float64) + 0.1 * step
        curvature.add(step, change)
    torch.testing.assert_close(-curvature.direction(change, lambda g: 3 * g), step)


def test_a_quadratic_function_is_minimised_as_by_conjugate_gradients():
    """With exact line searches n steps suffice for n unknowns."""
    diagonal = torch.linspace(1, 50, 6, dtype=torch.float64).reshape(1, 2, 3)
    point = torch.ones(1, 2, 3, dtype=torch.float64)
    curvature = Curvature()
    for _ in range(6):
        gradient = diagonal * point
        direction = curvature.direction(gradient, lambda g: g)
        length = -dot(gradient, direction) / dot(direction, diagonal * direction)
        step = length[:, None, None] * direction
        curvature.add(step, diagonal * step)
        point = point + step
    assert float(point.abs().max()) < 1e-10


def test_a_problem_that_stands_still_is_left_as_it_was():
    curvature = Curvature()
    step, change = torch.randn(2, 1, 3), torch.zeros(2, 1, 3)
    change[0] = 2 * step[0]
    step[1] = 0
    curvature.add(step, change)
    gradient = torch.randn(2, 1, 3)
    direction = curvature.direction(gradient, lambda g: 5 * g)
    torch.testing.assert_close(direction[1], -5 * gradient[1])
    torch.testing.assert_close(direction[0], -gradient[0] / 2)
