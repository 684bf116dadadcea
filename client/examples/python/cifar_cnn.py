"""A small convolutional network for images of 32 x 32 in PyTorch: the size of CIFAR-10.

    python3 cifar_cnn.py --init start.safetensors       (once, by the job's author: weights to start from)
    fedanchor client run ... --trainer "python3 cifar_cnn.py" --data cifar-10-batches-bin

The data are files *.bin in the format of CIFAR-10's "binary version": records of one byte for the label and 3,072 for
the planes red, green and blue. The manifest's tensors are those of the file that --init writes. Of task.training it reads
learningRate, momentum, batchSize and steps.
"""

import argparse
import ctypes
import os

import fedanchor_trainer as fedanchor
import torch
from torch import nn
from torch.nn import functional

RECORD = 1 + 3 * 32 * 32
HELD_OUT_EVERY = 10


def network():
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 4 * 4, 10)),
    )


class Cifar(fedanchor.Trainer):
    name = "cifar_cnn.py"

    def __init__(self, hello):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network().to(self.device)
        self.training = hello.task["training"]
        mine = [(name, tuple(each.shape)) for name, each in self.network.named_parameters()]
        if mine != hello.tensors:
            raise fedanchor.Failure("unsupported-model", f"the manifest lists {hello.tensors}, this network has {mine}")
        images, labels = read_cifar(hello.data)
        held_out = torch.arange(len(labels)) % HELD_OUT_EVERY == 0
        self.images, self.labels = images[~held_out], labels[~held_out]
        self.held_images, self.held_labels = images[held_out], labels[held_out]
        print(f"{len(self.labels)} images to train on, {len(self.held_labels)} held out, on {self.device}")

    def train(self, task):
        torch.manual_seed(task.seed)
        load(self.network, task.weights)
        settings = self.training
        optimizer = torch.optim.SGD(
            self.network.parameters(), lr=settings["learningRate"], momentum=settings.get("momentum", 0)
        )
        losses = []
        for step in range(settings["steps"]):
            batch = torch.randint(len(self.labels), (settings["batchSize"],))
            logits = self.network(self.inputs(self.images[batch]))
            loss = functional.cross_entropy(logits, self.labels[batch].to(self.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            task.progress((step + 1) / settings["steps"], losses[-1])
        update = fedanchor.difference(save(self.network), task.weights)
        return fedanchor.Update(update, samples=len(self.labels), loss=sum(losses) / len(losses))

    @torch.no_grad()
    def evaluate(self, weights):
        load(self.network, weights)
        correct, loss_sum = 0, 0.0
        for start in range(0, len(self.held_labels), 256):
            labels = self.held_labels[start : start + 256].to(self.device)
            logits = self.network(self.inputs(self.held_images[start : start + 256]))
            correct += (logits.argmax(1) == labels).sum().item()
            loss_sum += functional.cross_entropy(logits, labels, reduction="sum").item()
        most_frequent = self.labels.bincount(minlength=10).argmax()
        constant = (self.held_labels == most_frequent).sum().item()
        return fedanchor.Evaluation(correct, len(self.held_labels), loss_sum, constant)

    def inputs(self, images):
        """The same scaling at every client: constants taken from private data would differ, and tell of them."""
        return (images.to(self.device).float() - 127.5) / 64


def read_cifar(paths):
    files = [
        os.path.join(folder, name)
        for path in paths
        for folder, _, names in ([("", [], [path])] if os.path.isfile(path) else sorted(os.walk(path)))
        for name in sorted(names)
        if name.endswith(".bin")
    ]
    records = []
    for path in files:
        with open(path, "rb") as file:
            data = file.read()
        if not data or len(data) % RECORD:
            raise fedanchor.Failure("bad-record", f"{path} does not hold whole records of {RECORD} bytes")
        records.append(torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(-1, RECORD))
    if not records:
        raise fedanchor.Failure("no-records", "there are no *.bin files: name CIFAR-10's folder by --data")
    together = torch.cat(records)
    return together[:, 1:].reshape(-1, 3, 32, 32), together[:, 0].long()


def load(module, weights):
    """Puts tensors of the protocol into the parameters of a module."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            values = torch.frombuffer(bytearray(weights[name].values.tobytes()), dtype=torch.float32)
            parameter.copy_(values.reshape(parameter.shape))


def save(module):
    """The parameters of a module as tensors of the protocol."""

    def convert(parameter):
        values = parameter.detach().to("cpu", torch.float32).contiguous()
        return fedanchor.Tensor.from_bytes(values.shape, ctypes.string_at(values.data_ptr(), 4 * values.numel()))

    return {name: convert(parameter) for name, parameter in module.named_parameters()}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--init", metavar="FILE", help="write weights to start from, and end")
    options.add_argument("--seed", type=int, default=1, help="of those weights")
    arguments = options.parse_args()
    if arguments.init:
        torch.manual_seed(arguments.seed)
        fedanchor.write_safetensors(arguments.init, save(network()))
    else:
        fedanchor.serve(Cifar)
