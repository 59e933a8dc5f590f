"""Writes fixtures/batch-norm.json: a tiny ResNet trained for ten steps with the batches' own statistics, in plain PyTorch.

python3 test/oracle/batch_norm.py. The network is that of convolutional.py; each step sees another batch, its pixels seeded
by `pixels STEP` and doubled (seeded.py).
"""
import torch
import torch.nn.functional as F

import convolutional
import seeded
from tiny import numbers, write

STEPS, ROWS = 10, 4
CONFIG = dict(model_type="resnet", num_channels=3, embedding_size=4, hidden_sizes=[4, 6], depths=[1, 1],
              layer_type="basic", hidden_act="relu", downsample_in_first_stage=False, downsample_in_bottleneck=False,
              image_size=16)


def train(start, pixels, labels, make):
    weights = {name: tensor.detach().clone() for name, tensor in start.items()}
    trained = [name for name in weights if "running" not in name]
    for name in trained:
        weights[name].requires_grad_(True)
    # Neither biases nor norms are decayed.
    groups = [dict(params=[weights[n] for n in trained if weights[n].dim() > 1], weight_decay=0.01),
              dict(params=[weights[n] for n in trained if weights[n].dim() == 1], weight_decay=0.0)]
    optimizer = make(groups)
    losses = []
    for step in range(STEPS):
        convolutional.TRACKED.clear()
        loss = F.cross_entropy(convolutional.resnet(weights, CONFIG, pixels[step], True), labels[step])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
        for name, (mean, var) in convolutional.TRACKED.items():
            weights[name + ".running_mean"], weights[name + ".running_var"] = mean.detach(), var.detach()
    return dict(losses=losses, ends={name: numbers(tensor) for name, tensor in weights.items()})


torch.manual_seed(5)
pixels = [2 * seeded.numbers(f"pixels {step}", (ROWS, 3, 16, 16)) for step in range(STEPS)]
labels = [torch.randint(0, convolutional.LABELS, (ROWS,)) for _ in range(STEPS)]
start = {}
with torch.no_grad():
    convolutional.resnet(start, CONFIG, pixels[0])
write("batch-norm", dict(
    config=CONFIG, steps=STEPS, rows=ROWS, labels=convolutional.LABELS, learningRate=0.01,
    classes=[batch.tolist() for batch in labels],
    start={name: dict(shape=list(tensor.shape), data=numbers(tensor, 9)) for name, tensor in start.items()},
    runs=dict(
        sgd=train(start, pixels, labels, lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.9)),
        adamw=train(start, pixels, labels, lambda groups: torch.optim.AdamW(groups, lr=0.01)),
    )))
