"""Serves a fedanchor client as its trainer, over standard input and output: version 1 of the protocol.

One file, standard library only, Python 3.8 or newer. Copy it beside your own program:

    import fedanchor_trainer as fedanchor

    class Mine(fedanchor.Trainer):
        def train(self, task):      # task.weights: {name: Tensor}; returns an Update
            ...
        def evaluate(self, weights):  # returns an Evaluation
            ...

    fedanchor.serve(lambda hello: Mine(hello))

What is printed goes to the client's log, for standard output belongs to the protocol.
"""

import array
import hashlib
import hmac
import itertools
import json
import math
import os
import queue
import struct
import sys
import threading

PROTOCOL = 1


class Tensor:
    """Float32 numbers in row-major order: `shape` a tuple, `values` an array of type "f"."""

    __slots__ = ("shape", "values")

    def __init__(self, shape, values):
        self.shape = tuple(shape)
        self.values = values if isinstance(values, array.array) and values.typecode == "f" else array.array("f", values)
        if len(self.values) != size_of(self.shape):
            raise ValueError(f"{len(self.values)} numbers do not make a tensor of shape {self.shape}")

    @classmethod
    def from_bytes(cls, shape, data):
        """From float32 numbers as this machine keeps them, such as those of a numpy array."""
        values = array.array("f")
        values.frombytes(data)
        return cls(shape, values)


def size_of(shape):
    """How many numbers a tensor of a shape holds."""
    return math.prod(shape)


class Hello:
    """What the client says first.

    `tensors` are pairs of name and shape in the manifest's order, `task` is the manifest's, `data` are paths, `salt` the
    secret for `commit`.
    """

    def __init__(self, message):
        self.tensors = [(each["name"], tuple(each["shape"])) for each in message["tensors"]]
        self.task = message["task"]
        self.data = message["data"]
        self.salt = bytes.fromhex(message["salt"][2:])


class Task:
    """One round: `weights` {name: Tensor} of the global model, `seed` for every random choice, `round`, `timeout_s`."""

    def __init__(self, message, weights, connection):
        self.weights = weights
        self.seed = message["seed"]
        self.round = message["round"]
        self.timeout_s = message["timeoutS"]
        self._id = message["id"]
        self._connection = connection

    def progress(self, done, loss=None):
        """Says how much of the round is done, from 0 to 1. Raises Cancelled if the client does not wait any more."""
        self.check()
        told = {"type": "progress", "id": self._id, "done": min(1.0, max(0.0, done))}
        if loss is not None and math.isfinite(loss):
            told["loss"] = float(loss)
        self._connection.say(told)

    def check(self):
        """Raises Cancelled if the client does not wait any more: call it between batches."""
        if self._connection.is_cancelled(self._id):
            raise Cancelled()


class Update:
    """What is to be added to the model ({name: Tensor}), from how many examples, with which mean loss.

    `energy_j` is the energy that the round took, in joules, where it was measured.
    """

    def __init__(self, tensors, samples, loss, energy_j=None):
        self.tensors = tensors
        self.samples = samples
        self.loss = loss
        self.energy_j = energy_j


class Evaluation:
    """How a model does on held-out examples.

    `correct` of `total` are right, `loss_sum` is the sum of their losses (nats, for classifiers), `constant_correct` is
    what always giving the most frequent answer would score. A task without classes counts by a measure of its own.
    """

    def __init__(self, correct, total, loss_sum, constant_correct=None):
        self.correct = correct
        self.total = total
        self.loss_sum = loss_sum
        self.constant_correct = constant_correct


class Trainer:
    """To be derived from. `dataset_commitment` is 32 bytes, or None: see `commit`."""

    name = None
    dataset_commitment = None

    def train(self, task):
        """Trains one round; returns an Update."""
        raise NotImplementedError

    def evaluate(self, weights):
        """Evaluates weights; returns an Evaluation."""
        raise NotImplementedError


class Cancelled(Exception):
    """The client does not wait for the round any more. Let it pass: `serve` answers."""


class Failure(Exception):
    """Fails the round with a code of your own: lower-case letters, digits and "-". Only the code leaves the machine."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def difference(local, start):
    """`local - start` of two dictionaries of tensors: the update, where whole weights are trained."""
    return {
        name: Tensor(tensor.shape, array.array("f", map(float.__sub__, tensor.values, start[name].values)))
        for name, tensor in local.items()
    }


def commit(records, salt):
    """Commits to records without showing them: the root of a Merkle tree over them, 32 bytes.

    `records` are pairs of a label (0 where there is none) and bytes. With `hello.salt` and the records of a file in their
    order, label and bytes as they stand there, it is the commitment of docs/data.md, of which "client data open" shows
    single records later.
    """
    level = []
    for index, (label, record) in enumerate(records):
        own = hmac.digest(salt, index.to_bytes(32, "big"), "sha256")
        level.append(hashlib.sha256(b"\x0b\0" + own + struct.pack(">I", label) + record).digest())
    filler = bytes(32)
    for height in itertools.count(1):
        if len(level) < 2:
            break
        tag = bytes((0x0B, height))
        pairs = itertools.zip_longest(level[::2], level[1::2], fillvalue=filler)
        level = [hashlib.sha256(tag + left + right).digest() for left, right in pairs]
        filler = hashlib.sha256(tag + filler + filler).digest()
    return level[0] if level else filler


def read_safetensors(path):
    """Reads float32 tensors: {name: Tensor}, in the order in which they lie in the file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        start = 8 + length
        tensors = {}
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            if entry["dtype"] != "F32":
                raise ValueError(f"{name} holds {entry['dtype']}, not F32")
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            values = array.array("f")
            values.frombytes(file.read(end - begin))
            if sys.byteorder == "big":
                values.byteswap()
            tensors[name] = Tensor(entry["shape"], values)
    return tensors


def write_safetensors(path, tensors):
    """Writes {name: Tensor} as float32."""
    header = {}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + 4 * len(tensor.values)
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            values = tensor.values
            if sys.byteorder == "big":
                values = array.array("f", values)
                values.byteswap()
            file.write(values.tobytes())


def serve(make):
    """Serves the client until it closes the connection.

    `make` takes the Hello and returns a Trainer; what it raises is told to the client.
    """
    connection = _Connection()
    folder = os.environ["FEDANCHOR_TRAINER_DIR"]
    trainer = None
    for message in connection.requests():
        try:
            if message["type"] == "hello":
                trainer = _greet(connection, message, make)
            elif message["type"] == "train":
                _train(connection, message, trainer, folder)
            elif message["type"] == "evaluate":
                _evaluate(connection, message, trainer, folder)
            else:
                raise Failure("unknown-request", f"a request of type {message['type']!r} is none of this version")
        except Cancelled:
            connection.say({"type": "cancelled", "id": message["id"]})
        except Exception as error:  # Whatever it is, the client is to know, and starts this program afresh.
            code = error.code if isinstance(error, Failure) else _code_of(error)
            connection.say({"type": "error", "id": message["id"], "code": code, "message": f"{error!r}"[:2000]})
            import traceback

            traceback.print_exc()


def _greet(connection, message, make):
    if PROTOCOL not in message["protocols"]:
        raise Failure("protocol-version", f"this trainer speaks version {PROTOCOL}, the client {message['protocols']}")
    trainer = make(Hello(message))
    answer = {"type": "hello", "id": message["id"], "protocol": PROTOCOL}
    if trainer.name is not None:
        answer["name"] = trainer.name
    if trainer.dataset_commitment is not None:
        answer["datasetCommitment"] = "0x" + trainer.dataset_commitment.hex()
    connection.say(answer)
    return trainer


def _train(connection, message, trainer, folder):
    weights = read_safetensors(os.path.join(folder, message["weights"]))
    task = Task(message, weights, connection)
    update = trainer.train(task)
    task.check()
    if not math.isfinite(update.loss):
        raise Failure("diverged", f"the loss is {update.loss}")
    file = f"update-{message['id']}.safetensors"
    write_safetensors(os.path.join(folder, file), update.tensors)
    answer = {"type": "update", "id": message["id"], "file": file, "samples": update.samples, "loss": float(update.loss)}
    if update.energy_j is not None:
        answer["energyJ"] = float(update.energy_j)
    connection.say(answer)


def _evaluate(connection, message, trainer, folder):
    weights = read_safetensors(os.path.join(folder, message["weights"]))
    result = trainer.evaluate(weights)
    if connection.is_cancelled(message["id"]):
        raise Cancelled()
    if not math.isfinite(result.loss_sum):
        raise Failure("diverged", f"the sum of losses is {result.loss_sum}")
    answer = {
        "type": "evaluation",
        "id": message["id"],
        "correct": int(result.correct),
        "total": int(result.total),
        "lossSum": float(result.loss_sum),
    }
    if result.constant_correct is not None:
        answer["constantCorrect"] = int(result.constant_correct)
    connection.say(answer)


def _code_of(error):
    name = type(error).__name__
    code = "".join(f"-{each.lower()}" if each.isupper() else each for each in name).strip("-_")
    return "".join(each if each.isascii() and (each.isalnum() or each == "-") else "-" for each in code)[:60] or "error"


class _Connection:
    """Standard input and output, moved out of reach of whatever else prints or reads."""

    def __init__(self):
        sys.stdout.flush()
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        self._in = os.fdopen(os.dup(0), "r", encoding="utf-8")
        os.dup2(2, 1)
        # What is printed is told when it is printed.
        sys.stdout.reconfigure(line_buffering=True)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self._requests = queue.Queue()
        self._cancelled = set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        """Reads beside the training, so that it learns of a cancellation at once."""
        for line in self._in:
            message = json.loads(line)
            if message["type"] == "cancel":
                self._cancelled.add(message["id"])
            else:
                self._requests.put(message)
        # The client is gone, whatever is being done.
        self._requests.put(None)
        os._exit(0)

    def requests(self):
        while True:
            message = self._requests.get()
            if message is None:
                return
            yield message

    def is_cancelled(self, request):
        return request in self._cancelled

    def say(self, message):
        self._out.write(json.dumps(message, allow_nan=False) + "\n")
        self._out.flush()
