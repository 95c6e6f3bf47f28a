import math

import pytest
import torch
from torch.nn import functional as F

from rfcheck.verify.data.batches import training_batches
from rfcheck.verify.recipe import Training
from rfcheck.verify.training.devices import accelerated
from rfcheck.verify.training.failures import LossNotFiniteError
from rfcheck.verify.training.optimizing import make_optimizer
from rfcheck.verify.training.steps import Learner, Tally, train_pass
from tests.verify.training.small import Net, small_data


@pytest.fixture
def learner():
    with accelerated("no", "cpu") as accelerator:
        model = Net(dropout=0)
        yield Learner(model, accelerator.prepare(make_optimizer(model, Training(learning_rate=0.05))), accelerator)


def batches():
    return list(training_batches(small_data(), batch_size=16, seed=0, epoch=1))


def test_a_pass_is_the_loop_that_everybody_writes(learner):
    model = Net(dropout=0)
    model.load_state_dict(learner.model.state_dict())
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    losses, right = [], 0
    for images, labels in batches():
        optimizer.zero_grad()
        scores = model(images)
        loss = F.cross_entropy(scores, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        right += (scores.argmax(1) == labels).sum().item()
    told = []
    tally = train_pass(learner, batches(), [16, 16, 4], told.append)
    assert tally.losses() == losses
    assert tally.accuracy() == right / 36
    assert tally.mean_loss() == pytest.approx((16 * losses[0] + 16 * losses[1] + 4 * losses[2]) / 36, rel=1e-15)
    assert told[-1] == right / 36
    assert len(told) == 3
    for name, value in model.state_dict().items():
        assert torch.equal(value, learner.model.state_dict()[name])


def test_shares_of_a_batch_add_up(learner):
    images, labels = batches()[0]
    parts = [learner.look(images[part], labels[part], 16)[0] for part in (slice(0, 7), slice(7, 16))]
    learner.model.eval()
    parts = [learner.look(images[part], labels[part], 16)[0] for part in (slice(0, 7), slice(7, 16))]
    whole, _ = learner.look(images, labels, 16)
    assert sum(part.item() for part in parts) == pytest.approx(whole.item(), rel=1e-6)


def test_a_loss_that_is_not_finite_does_not_change_the_weights(learner):
    given = batches()
    given[1] = (given[1][0] * math.nan, given[1][1])
    before = None
    told = []

    def tell(accuracy):
        nonlocal before
        told.append(accuracy)
        before = {name: value.clone() for name, value in learner.model.named_parameters()}

    with pytest.raises(LossNotFiniteError) as caught:
        train_pass(learner, given, [16, 16, 4], tell)
    assert (caught.value.step, len(told)) == (2, 1)
    assert math.isnan(caught.value.loss)
    assert caught.value.images is given[1][0]
    assert all(torch.equal(value, before[name]) for name, value in learner.model.named_parameters())


def test_a_tally_of_some_steps():
    tally = Tally([4, 4, 2, 1], torch.device("cpu"))
    assert (tally.losses(), tally.accuracy()) == ([], 0)
    scores = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    tally.add(torch.tensor(0.5), scores, torch.tensor([0, 0, 0, 1]))
    tally.add(torch.tensor(0.25), scores, torch.tensor([1, 1, 1, 1]))
    assert (tally.losses(), tally.accuracy(), tally.mean_loss()) == ([0.5, 0.25], 5 / 8, 0.375)
    tally.require_finite(scores)
    tally.add(torch.tensor(math.inf), scores[:2], torch.tensor([0, 1]))
    with pytest.raises(LossNotFiniteError) as caught:
        tally.require_finite(scores)
    assert (caught.value.step, caught.value.loss) == (3, math.inf)
    assert caught.value.images is scores
    tally.add(torch.tensor(0.5), scores[:1], torch.tensor([0]))
    with pytest.raises(LossNotFiniteError) as caught:
        tally.require_finite(scores)
    assert (caught.value.step, caught.value.images) == (3, None)
