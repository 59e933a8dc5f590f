"""Writes test/oracle/fixtures/optimizers.json: trajectories of PyTorch's optimizers, and of Adafactor written out naively.

Run with a Python that has PyTorch: python3 test/oracle/optimizers.py
The gradients are made up (a seeded sequence with one element of zero and one very large step), so that only the update is tested.
Adafactor follows Shazeer and Stern 2018, algorithms 4 and 5, with the constants of Transformers' implementation, in NumPy
with no thought to speed: https://github.com/huggingface/transformers/blob/main/src/transformers/optimization.py
"""
import json
import pathlib

import numpy
import torch

torch.set_default_dtype(torch.float64)
STEPS, RATE = 50, 0.02
SHAPES = {"matrix.weight": (3, 4), "norm.weight": (5,), "kernel.weight": (2, 3, 2, 2)}


def float32(x):
    return numpy.asarray(x, dtype=numpy.float32).astype(numpy.float64)


random = numpy.random.default_rng(7)
START = {n: float32(random.normal(size=s)) for n, s in SHAPES.items()}
GRADIENTS = []
for step in range(STEPS):
    gradient = {n: float32(random.normal(size=s) * (30 if step == 10 else 1)) for n, s in SHAPES.items()}
    gradient["matrix.weight"][0, 0] = 0
    GRADIENTS.append(gradient)


def with_torch(make):
    weights = {n: torch.tensor(w, requires_grad=True) for n, w in START.items()}
    optimizer = make([w for w in weights.values() if w.dim() > 1], [w for w in weights.values() if w.dim() == 1])
    for gradient in GRADIENTS:
        for n, w in weights.items():
            w.grad = torch.tensor(gradient[n])
        optimizer.step()
    return {n: w.detach().numpy() for n, w in weights.items()}


def groups(decayed, plain, decay):
    return [dict(params=decayed, weight_decay=decay), dict(params=plain, weight_decay=0.0)]


def adafactor(decay):
    weights = {n: w.copy() for n, w in START.items()}
    rows, columns, squares = {}, {}, {}
    for t, gradient in enumerate(GRADIENTS, start=1):
        beta = 1 - t ** -0.8
        for n, w in weights.items():
            g = gradient[n]
            s = g * g + 1e-30
            if g.ndim >= 2:
                rows[n] = beta * rows.get(n, 0) + (1 - beta) * s.mean(axis=-1)
                columns[n] = beta * columns.get(n, 0) + (1 - beta) * s.mean(axis=-2)
                v = rows[n][..., :, None] * columns[n][..., None, :] / rows[n].mean(axis=-1)[..., None, None]
            else:
                squares[n] = beta * squares.get(n, 0) + (1 - beta) * s
                v = squares[n]
            update = g / numpy.sqrt(v)
            update = update / max(1.0, numpy.sqrt((update * update).mean()))
            w -= (decay if g.ndim > 1 else 0) * RATE * w
            w -= RATE * update
    return weights


def main():
    flat = lambda tensors: {n: [float(f"{v:.9g}") for v in numpy.asarray(w).ravel()] for n, w in tensors.items()}
    ends = {
        "adamw": with_torch(lambda d, p: torch.optim.AdamW(groups(d, p, 0.1), lr=RATE, betas=(0.9, 0.999), eps=1e-8)),
        "sgd": with_torch(lambda d, p: torch.optim.SGD(groups(d, p, 0.1), lr=RATE, momentum=0.0)),
        "sgd momentum": with_torch(lambda d, p: torch.optim.SGD(groups(d, p, 0.1), lr=RATE, momentum=0.9)),
        "sgd nesterov": with_torch(lambda d, p: torch.optim.SGD(groups(d, p, 0.1), lr=RATE, momentum=0.9, nesterov=True)),
        "adafactor": adafactor(0.1),
    }
    # The schedules as Transformers writes them: warmup, then constant, linear or cosine.
    peak, warmup, total = 3e-4, 7, 40
    rise = lambda n: n / warmup
    factors = {
        "constant": lambda n: rise(n) if n < warmup else 1.0,
        "linear": lambda n: rise(n) if n < warmup else (total - n) / (total - warmup),
        "cosine": lambda n: rise(n) if n < warmup else 0.5 * (1 + numpy.cos(numpy.pi * (n - warmup) / (total - warmup))),
    }
    # Our step 1 takes a full first share of the warmup; Transformers' step 0 would have a rate of zero.
    schedules = {
        name: [float(peak * (rise(s) if s <= warmup else f(s - 1))) for s in range(1, total + 1)] for name, f in factors.items()
    }
    fixture = dict(
        torch=torch.__version__, steps=STEPS, learningRate=RATE, weightDecay=0.1, shapes=SHAPES, start=flat(START),
        gradients=[flat(g) for g in GRADIENTS], ends={n: flat(w) for n, w in ends.items()},
        schedules=dict(peak=peak, warmupSteps=warmup, totalSteps=total, rates=schedules),
    )
    path = pathlib.Path(__file__).parent / "fixtures" / "optimizers.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")


main()
