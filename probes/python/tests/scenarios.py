"""Small training runs with PyTorch: a healthy one, and the same with one silent error each."""

import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import torch
from torch import nn

import faultline

# The model is tiny: threads of their own would only wait for one another.
torch.set_num_threads(1)

STEPS = 240
CLASSES = 10


def data(generator):
    """Points of ten classes, of which the last features tell the class."""
    inputs = torch.randn(64, 20, generator=generator)
    return inputs, inputs[:, :CLASSES].argmax(1)


class Net(nn.Module):
    def __init__(self, activation=nn.ReLU, depth=2, is_cut=False, ending=None):
        super().__init__()
        layers = [nn.Linear(20, 32), activation()]
        for _ in range(depth - 1):
            layers += [nn.Linear(32, 32), activation()]
        self.body = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(32, CLASSES)
        self.is_cut = is_cut
        self.ending = ending

    def forward(self, inputs):
        hidden = self.drop(self.body(inputs))
        logits = self.head(hidden.detach() if self.is_cut else hidden)
        return logits if self.ending is None else self.ending(logits)


class Scenario:
    """The parts of a loop, each of which an error may change."""

    def __init__(self, seed=1):
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.model = Net()
        self.loss = nn.CrossEntropyLoss()
        self.rate = 3e-3
        self.clears = True
        self.mode = "train"
        self.targets = lambda targets: targets
        self.inputs = lambda inputs, _step: inputs
        self.parameters = None
        self.header = {}
        self.between = lambda _step: None

    def run(self, path, **options):
        optimizer = torch.optim.Adam(self.parameters or self.model.parameters(), lr=self.rate)
        self.model.train(self.mode == "train")
        settings = {"every": 10, "parameters_max": 6, **self.header, **options}
        with faultline.probe(self.model, self.loss, optimizer=optimizer, path=path, **settings):
            for step in range(STEPS):
                inputs, targets = data(self.generator)
                if self.clears:
                    optimizer.zero_grad()
                loss = self.loss(self.model(self.inputs(inputs, step)), self.targets(targets))
                loss.backward()
                optimizer.step()
                self.between(step)


def healthy():
    return Scenario()


def eval_mode():
    one = Scenario()
    one.mode = "eval"
    return one


def no_zero_grad():
    one = Scenario()
    one.clears = False
    return one


def rate_of_zero():
    one = Scenario()
    one.rate = 0.0
    return one


def cut_graph():
    one = Scenario()
    one.model = Net(is_cut=True)
    return one


def other_model():
    one = Scenario()
    one.parameters = list(Net().parameters())
    return one


def softmax_twice():
    one = Scenario()
    one.model = Net(ending=nn.Softmax(dim=1))
    return one


def float_targets():
    """Targets of another kind, which a regression of the class number takes without a word."""
    one = Scenario()
    one.loss = nn.MSELoss()
    one.model = Net(ending=lambda logits: logits[:, :1])
    one.targets = lambda targets: targets.float()
    return one


def not_a_number():
    one = Scenario()
    one.inputs = lambda inputs, step: inputs if step < 150 else inputs * float("nan")
    return one


def vanishing():
    one = Scenario()
    one.model = Net(activation=nn.Sigmoid, depth=10)
    return one


def exploding():
    one = Scenario()
    one.model = Net(activation=nn.Identity, depth=4)
    one.rate = 3e-3

    def grow(step):
        if step > 120:
            with torch.no_grad():
                for parameter in one.model.parameters():
                    parameter.mul_(1.05)

    one.between = grow
    return one


def shuffled_targets():
    """Targets that do not belong to their inputs."""
    one = Scenario()
    one.targets = lambda targets: targets[torch.randperm(len(targets))]
    return one


FAULTS = [
    eval_mode,
    no_zero_grad,
    rate_of_zero,
    cut_graph,
    other_model,
    softmax_twice,
    float_targets,
    not_a_number,
    vanishing,
    exploding,
    shuffled_targets,
]


def replicas(folder, name, *, is_synced=True, has_own_data=True):
    """Two ranks in one process: the gradients of both are averaged, or are not."""
    probes, ranks = [], []
    for rank in range(2):
        torch.manual_seed(1)
        generator = torch.Generator().manual_seed(rank if has_own_data else 0)
        model, loss = Net(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        watch = faultline.probe(
            model,
            loss,
            optimizer=optimizer,
            path=f"{folder}/{name}.jsonl",
            run=name,
            rank=rank,
            world_size=2,
            parallelism="data",
            seed=1 + rank if has_own_data else 1,
            every=5,
            parameters_max=2,
        )
        probes.append(watch)
        ranks.append((model, loss, optimizer, generator))
    with probes[0], probes[1]:
        for _ in range(120):
            for model, loss, optimizer, generator in ranks:
                inputs, targets = data(generator)
                optimizer.zero_grad()
                loss(model(inputs), targets).backward()
            if is_synced:
                for one, other in zip(ranks[0][0].parameters(), ranks[1][0].parameters()):
                    mean = (one.grad + other.grad) / 2
                    one.grad.copy_(mean)
                    other.grad.copy_(mean)
            for _, _, optimizer, _ in ranks:
                optimizer.step()


if __name__ == "__main__":
    target = sys.argv[1]
    healthy().run(f"{target}/healthy.jsonl", operators_path=f"{target}/operators.json")
    Scenario(seed=2).run(f"{target}/healthy-again.jsonl")
    for fault in FAULTS:
        fault().run(f"{target}/{fault.__name__.replace('_', '-')}.jsonl")
    replicas(target, "replicas")
    replicas(target, "replicas-unsynced", is_synced=False)
    replicas(target, "replicas-one-seed", has_own_data=False)
