"""Adapts a small transformer to private text by LoRA in PyTorch: only the adapters are in the manifest, and travel.

    python3 lora.py --text public --base base.safetensors --init start.safetensors   (once, by the job's author)
    fedanchor client run ... --trainer "python3 lora.py --base base.safetensors" --data private

The first command trains the whole transformer on public text for a while and writes two files: the base, which every
participant has and nobody trains further, and the adapters that the job starts from. The manifest lists the tensors of
the second and pins the first by task.data = { "baseSha256": ... }, which is printed. Beside each of the matrices that
make queries and values stands an adapter, two matrices of a low rank whose product is added to it (Hu et al., "LoRA:
Low-Rank Adaptation of Large Language Models", ICLR 2022). Of task.training: learningRate, batchSize, steps.
"""

import argparse
import ctypes
import hashlib
import os

import fedanchor_trainer as fedanchor
import torch
from torch import nn
from torch.nn import functional

SYMBOLS = 256
CONTEXT = 32
WIDTH = 64
HEADS = 4
BLOCKS = 2
RANK = 4
HELD_OUT_SHARE = 10


class Adapted(nn.Module):
    """A matrix that is kept as it is, and an adapter of low rank beside it: `x W + x A B`, with B zero at first."""

    def __init__(self):
        super().__init__()
        self.base = nn.Linear(WIDTH, WIDTH)
        self.lora_a = nn.Parameter(torch.randn(WIDTH, RANK) / WIDTH**0.5)
        self.lora_b = nn.Parameter(torch.zeros(RANK, WIDTH))

    def forward(self, x):
        return self.base(x) + x @ self.lora_a @ self.lora_b


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = Adapted(), nn.Linear(WIDTH, WIDTH), Adapted()
        self.output = nn.Linear(WIDTH, WIDTH)
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])
        self.feed = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        count, length, _ = x.shape
        normed = self.norms[0](x)

        def heads(make):
            return make(normed).reshape(count, length, HEADS, -1).transpose(1, 2)

        scores = heads(self.query) @ heads(self.key).transpose(2, 3) / (WIDTH // HEADS) ** 0.5
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        mixed = scores.masked_fill(future, float("-inf")).softmax(-1) @ heads(self.value)
        x = x + self.output(mixed.transpose(1, 2).reshape(count, length, WIDTH))
        return x + self.feed(self.norms[1](x))


class Transformer(nn.Module):
    """Predicts each next byte of a text from up to 32 before it."""

    def __init__(self):
        super().__init__()
        self.symbol, self.place = nn.Embedding(SYMBOLS, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm, self.logits = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, SYMBOLS)

    def forward(self, symbols):
        places = torch.arange(symbols.shape[1], device=symbols.device)
        return self.logits(self.norm(self.blocks(self.symbol(symbols) + self.place(places))))

    def parts(self, adapters):
        """Names and parameters of the adapters, or of the base."""
        return [(name, each) for name, each in self.named_parameters() if (".lora_" in name) == adapters]


class Lora(fedanchor.Trainer):
    name = "lora.py"

    def __init__(self, hello, base):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = Transformer().to(self.device)
        with open(base, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        if digest != hello.task["data"]["baseSha256"]:
            raise fedanchor.Failure("other-base", f"{base} has SHA-256 {digest}, the manifest's base another")
        load(self.model.parts(adapters=False), fedanchor.read_safetensors(base))
        self.adapters = self.model.parts(adapters=True)
        mine = [(name, tuple(each.shape)) for name, each in self.adapters]
        if mine != hello.tensors:
            raise fedanchor.Failure("unsupported-model", f"the manifest lists {hello.tensors}, the adapters are {mine}")
        self.training = hello.task["training"]
        text = read_text(hello.data)
        cut = len(text) - max(2 * (CONTEXT + 1), len(text) // HELD_OUT_SHARE)
        if cut <= CONTEXT + 1:
            raise fedanchor.Failure("no-records", f"{len(text)} bytes of text are too few: name folders by --data")
        self.text, self.held_out = text[:cut], windows(text[cut:])[:: CONTEXT // 2]
        print(f"{cut} bytes of text to train on, {len(self.held_out)} held-out windows, on {self.device}")

    def train(self, task):
        torch.manual_seed(task.seed)
        load(self.adapters, task.weights)
        settings = self.training
        parameters = [each for _, each in self.adapters]
        loss = descend(self.model, parameters, self.text, settings, lambda done, loss: task.progress(done, loss))
        update = fedanchor.difference(save(self.adapters), task.weights)
        return fedanchor.Update(update, samples=len(self.text) - CONTEXT, loss=loss)

    @torch.no_grad()
    def evaluate(self, weights):
        load(self.adapters, weights)
        correct, loss_sum, constant = 0, 0.0, 0
        most_frequent = self.text.bincount(minlength=SYMBOLS).argmax()
        for batch in self.held_out.split(64):
            answers = batch[:, -1].to(self.device)
            logits = self.model(batch[:, :-1].to(self.device))[:, -1]
            correct += (logits.argmax(1) == answers).sum().item()
            loss_sum += functional.cross_entropy(logits, answers, reduction="sum").item()
            constant += (batch[:, -1] == most_frequent).sum().item()
        return fedanchor.Evaluation(correct, len(self.held_out), loss_sum, constant)


def descend(model, parameters, text, settings, tell):
    """Some steps of Adam on random windows of a text; returns the mean loss."""
    optimizer = torch.optim.Adam(parameters, lr=settings["learningRate"])
    all_windows = windows(text)
    device = parameters[0].device
    losses = []
    for step in range(settings["steps"]):
        batch = all_windows[torch.randint(len(all_windows), (settings["batchSize"],))].to(device)
        logits = model(batch[:, :-1])
        loss = functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        tell((step + 1) / settings["steps"], losses[-1])
    return sum(losses) / len(losses)


def windows(text):
    """All stretches of a context and the byte behind it."""
    return text.unfold(0, CONTEXT + 1, 1)


def read_text(paths):
    text = b""
    for path in paths:
        files = [path] if os.path.isfile(path) else sorted(
            os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
        )
        for name in files:
            with open(name, "rb") as file:
                text += file.read()
    return torch.frombuffer(bytearray(text), dtype=torch.uint8).long()


def load(parameters, tensors):
    """Puts tensors of the protocol into parameters."""
    with torch.no_grad():
        for name, parameter in parameters:
            values = torch.frombuffer(bytearray(tensors[name].values.tobytes()), dtype=torch.float32)
            parameter.copy_(values.reshape(parameter.shape))


def save(parameters):
    """Parameters as tensors of the protocol."""

    def convert(parameter):
        values = parameter.detach().to("cpu", torch.float32).contiguous()
        return fedanchor.Tensor.from_bytes(values.shape, ctypes.string_at(values.data_ptr(), 4 * values.numel()))

    return {name: convert(parameter) for name, parameter in parameters}


def prepare(arguments):
    torch.manual_seed(arguments.seed)
    model = Transformer()
    base = model.parts(adapters=False)
    settings = {"learningRate": 0.003, "batchSize": 32, "steps": arguments.steps}
    loss = descend(model, [each for _, each in base], read_text([arguments.text]), settings, lambda done, loss: None)
    fedanchor.write_safetensors(arguments.base, save(base))
    fedanchor.write_safetensors(arguments.init, save(model.parts(adapters=True)))
    with open(arguments.base, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    print(f"loss {loss:.3f}\nbaseSha256 {digest}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--base", metavar="FILE", required=True, help="the weights that are not trained further")
    options.add_argument("--init", metavar="FILE", help="write the base and adapters to start from, and end")
    options.add_argument("--text", metavar="PATH", help="public text to train the base on")
    options.add_argument("--steps", type=int, default=300, help="of that training")
    options.add_argument("--seed", type=int, default=1, help="of all that is drawn for it")
    arguments = options.parse_args()
    if arguments.init:
        prepare(arguments)
    else:
        fedanchor.serve(lambda hello: Lora(hello, arguments.base))
