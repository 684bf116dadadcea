"""A linear (softmax) classifier on comma-separated values, in plain Python: no package is needed.

    fedanchor client run ... --trainer "python3 linear.py" --data mine.csv

Works on jobs of the kind "classification" whose data are CSV (task.data is described in docs/data.md) and whose model
is one layer: a kernel [inputs, classes] and a bias [classes]. Of task.training it reads learningRate, momentum,
batchSize, and steps or epochs.
"""

import csv
import gzip
import math
import os
import random

import fedanchor_trainer as fedanchor


class Linear(fedanchor.Trainer):
    name = "linear.py"

    def __init__(self, hello):
        data = hello.task["data"]
        if data.get("format") != "csv":
            raise fedanchor.Failure("unsupported-data", f"the job's data are {data.get('format')!r}, not csv")
        (self.kernel, kernel_shape), (self.bias, bias_shape) = hello.tensors
        self.size, self.classes = kernel_shape
        if bias_shape != (self.classes,):
            raise fedanchor.Failure("unsupported-model", "this is for a kernel [inputs, classes] and a bias [classes]")
        self.training = hello.task["training"]
        records = [row for path in hello.data for row in read_rows(path, data)]
        self.dataset_commitment = fedanchor.commit(((label, line) for _, label, line in records), hello.salt)
        scale = scaler(data, self.size)
        # The same records are held out each time: every tenth, unless the manifest wants another share.
        stride = round(1 / data.get("heldOutShare", 0.1))
        examples = [(scale(inputs), label) for inputs, label, _ in records]
        self.held_out = examples[::stride][: data.get("heldOutSamples", 10_000)]
        self.examples = [each for index, each in enumerate(examples) if index % stride]
        if not self.examples:
            raise fedanchor.Failure("no-records", "there is nothing to train on: name CSV files by --data")
        labels = [label for _, label in self.examples]
        self.most_frequent = max(range(self.classes), key=labels.count)
        print(f"{len(self.examples)} examples to train on, {len(self.held_out)} held out")

    def train(self, task):
        draw = random.Random(task.seed)
        rate, momentum = self.training["learningRate"], self.training.get("momentum", 0)
        rows, bias = self.columns_of(task.weights)
        velocity = [[0.0] * (self.size + 1) for _ in range(self.classes)]
        losses = []
        batches = list(self.batches(draw))
        for done, batch in enumerate(batches):
            gradient = [[0.0] * (self.size + 1) for _ in range(self.classes)]
            for inputs, label in batch:
                shares, loss = softmax(rows, bias, inputs, label)
                losses.append(loss)
                for k, share in enumerate(shares):
                    error = (share - (k == label)) / len(batch)
                    row = gradient[k]
                    for at, value in inputs:
                        row[at] += error * value
                    row[self.size] += error
            for k in range(self.classes):
                velocity[k] = [momentum * v + g for v, g in zip(velocity[k], gradient[k])]
                rows[k] = [w - rate * v for w, v in zip(rows[k], velocity[k])]
                bias[k] -= rate * velocity[k][self.size]
            task.progress((done + 1) / len(batches), losses[-1])
        local = {
            self.kernel: fedanchor.Tensor((self.size, self.classes), [w for column in zip(*rows) for w in column]),
            self.bias: fedanchor.Tensor((self.classes,), bias),
        }
        update = fedanchor.difference(local, task.weights)
        return fedanchor.Update(update, samples=len(self.examples), loss=sum(losses) / len(losses))

    def evaluate(self, weights):
        rows, bias = self.columns_of(weights)
        correct, loss_sum = 0, 0.0
        for inputs, label in self.held_out:
            shares, loss = softmax(rows, bias, inputs, label)
            correct += shares.index(max(shares)) == label
            loss_sum += loss
        constant = sum(label == self.most_frequent for _, label in self.held_out)
        return fedanchor.Evaluation(correct, len(self.held_out), loss_sum, constant)

    def columns_of(self, weights):
        """The weights of each class, and the biases."""
        kernel = weights[self.kernel].values
        return [list(kernel[k :: self.classes]) for k in range(self.classes)], list(weights[self.bias].values)

    def batches(self, draw):
        size = self.training["batchSize"]
        if "steps" in self.training:
            for _ in range(self.training["steps"]):
                yield draw.choices(self.examples, k=size)
            return
        for _ in range(self.training["epochs"]):
            order = draw.sample(self.examples, len(self.examples))
            for start in range(0, len(order), size):
                yield order[start : start + size]


def softmax(rows, bias, inputs, label):
    """The share of each class, and the cross-entropy in nats."""
    logits = [b + sum(row[at] * value for at, value in inputs) for row, b in zip(rows, bias)]
    most = max(logits)
    powers = [math.exp(logit - most) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers], math.log(total) + most - logits[label]


def read_rows(path, data):
    """(inputs, label, line) of each record in a file, or in the .csv and .csv.gz files of a folder."""
    if os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".csv", ".csv.gz")):
                    yield from read_rows(os.path.join(folder, name), data)
        return
    label, classes = data["label"], data["classes"]
    labels = {name: k for k, name in enumerate(classes)} if isinstance(classes, list) else None
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
        lines = Lines(file)
        rows = csv.reader(lines, delimiter=data.get("delimiter", ","))
        columns = None
        for row in rows:
            line = lines.take()
            if not row:
                continue
            if columns is None:
                if data.get("header", True):
                    at, columns = row.index(label), [row.index(name) for name in data["features"]]
                    continue
                at, columns = label, [column for column in range(len(row)) if column != label]
            inputs = [float(row[column]) if row[column] else float(data["missing"]) for column in columns]
            yield inputs, labels[row[at].strip()] if labels else int(float(row[at])), line


class Lines:
    """Gives lines, and keeps those of a record as they stand in the file."""

    def __init__(self, file):
        self.file, self.kept = file, ""

    def __iter__(self):
        for line in self.file:
            self.kept += line
            yield line

    def take(self):
        record, self.kept = self.kept, ""
        return record.strip("\r\n").encode()


def scaler(data, size):
    """Makes inputs what the manifest wants: [(place, value)] of those that are not 0."""
    scale = data.get("scale", {"mean": 0, "deviation": 1})

    def each(constant):
        values = constant if isinstance(constant, list) else [constant]
        return [values[at % len(values)] for at in range(size)]

    means, deviations = each(scale["mean"]), each(scale["deviation"])

    def scaled(inputs):
        if len(inputs) != size:
            raise fedanchor.Failure("bad-record", f"a record has {len(inputs)} inputs, the model {size}")
        values = ((x - mean) / deviation for x, mean, deviation in zip(inputs, means, deviations))
        return [(at, value) for at, value in enumerate(values) if value]

    return scaled


if __name__ == "__main__":
    fedanchor.serve(Linear)
