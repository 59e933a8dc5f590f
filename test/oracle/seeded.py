"""Weights, batches and losses that both sides make alike: numbers by a linear congruential generator, seeded by a name.

The weight called NAME starts at state FNV-1a(NAME); each number is one step of s = 1664525 s + 1013904223 mod 2^32, as
(s >> 16) / 65536 - 1/2, which a float32 holds exactly. Weights of one axis called .weight (norms) have 1 added.
"""
import base64
import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def states(name):
    state = 2166136261
    for byte in name.encode():
        state = ((state ^ byte) * 16777619) % 2**32
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state >> 16


def numbers(name, shape):
    count = 1
    for size in shape:
        count *= size
    stream = states(name)
    values = torch.tensor([next(stream) / 65536 - 0.5 for _ in range(count)]).reshape(shape)
    return values + 1 if len(shape) == 1 and name.endswith(".weight") else values


class Weights:
    """Each is made when the forward pass first asks for it."""

    def __init__(self):
        self.tensors = {}

    def __call__(self, name, *shape):
        if name not in self.tensors:
            self.tensors[name] = numbers(name, shape).requires_grad_(True)
        assert self.tensors[name].shape == shape, name
        return self.tensors[name]

    def linear(self, x, name, out, bias=True):
        y = x @ self(name + ".weight", out, x.shape[-1]).T
        return y + self(name + ".bias", out) if bias else y

    def norm(self, x, name, epsilon):
        size = x.shape[-1]
        return F.layer_norm(x, (size,), self(name + ".weight", size), self(name + ".bias", size), epsilon)


def pad(texts, pad_id):
    longest = max(len(text) for text in texts)
    ids = torch.tensor([text + [pad_id] * (longest - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
    return ids, mask


def make_texts(vocabulary, lengths):
    stream = states("texts")
    # Ids from 4 on: none of them pads.
    return [[4 + next(stream) % (vocabulary - 4) for _ in range(length)] for length in lengths]


def make_targets(head, texts, vocabulary):
    """One class a text or token, or one row of numbers a text; -100 where nothing is asked."""
    stream = states("targets")
    kind = head["kind"]
    if kind == "classification":
        return [next(stream) % head["labels"] for _ in texts]
    if kind == "regression":
        return [[next(stream) / 65536 for _ in range(head["targets"])] for _ in texts]
    if kind == "token-classification":
        return [[next(stream) % head["labels"] for _ in text] for text in texts]
    if kind == "masked-lm":
        return [[next(stream) % vocabulary for _ in text] for text in texts]
    if kind == "causal-lm":
        return [text[1:] + [-100] for text in texts]
    return None


def loss_of(head, answer, targets):
    if head["kind"] == "embedding":
        return answer.pow(2).mean()
    if head["kind"] == "regression":
        return F.mse_loss(answer, torch.tensor(targets))
    if head["kind"] == "classification":
        return F.cross_entropy(answer, torch.tensor(targets))
    longest = answer.shape[1]
    labels = torch.tensor([row + [-100] * (longest - len(row)) for row in targets])
    return F.cross_entropy(answer.flatten(0, 1), labels.flatten())


def packed(tensor):
    return base64.b64encode(tensor.detach().float().numpy().tobytes()).decode()


def solve(name, config, head, forward, lengths, vocabulary, pad_id):
    """One case of a fixture: forward(weights, config, ids, mask, head) is the family's own."""
    texts = make_texts(vocabulary, lengths)
    ids, mask = pad(texts, pad_id)
    targets = make_targets(head, texts, vocabulary)
    weights = Weights()
    answer = forward(weights, config, ids, mask, head)
    loss = loss_of(head, answer, targets)
    loss.backward()
    return dict(
        name=name, config=config, head=head, texts=texts, targets=targets, padId=pad_id,
        shape=list(answer.shape), answer=packed(answer), loss=float(loss),
        gradients={n: dict(shape=list(w.shape), data=packed(w.grad)) for n, w in weights.tensors.items()},
    )


def write(file, cases):
    path = FIXTURES / file
    path.write_text(json.dumps(dict(torch=torch.__version__, cases=cases), separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes;", ", ".join(f"{c['name']} {c['loss']:.4f}" for c in cases))
