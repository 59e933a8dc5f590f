"""Writes test/oracle/fixtures/bert.json: a tiny BERT classifier in plain PyTorch, in double precision, as an independent truth.

Run with a Python that has PyTorch: python3 test/oracle/bert.py
It uses only elementary torch functions, none of this project's code, and follows the published description of BERT.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20)
torch.set_default_dtype(torch.float64)

CONFIG = dict(
    model_type="bert", vocab_size=24, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
    hidden_act="gelu", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=16,
    type_vocab_size=2, layer_norm_eps=1e-12,
)
LABELS = 3
H, I = CONFIG["hidden_size"], CONFIG["intermediate_size"]


def make_weights():
    shapes = {
        "bert.embeddings.word_embeddings.weight": (CONFIG["vocab_size"], H),
        "bert.embeddings.position_embeddings.weight": (CONFIG["max_position_embeddings"], H),
        "bert.embeddings.token_type_embeddings.weight": (2, H),
        "bert.embeddings.LayerNorm.weight": (H,),
        "bert.embeddings.LayerNorm.bias": (H,),
    }
    for n in range(CONFIG["num_hidden_layers"]):
        p = f"bert.encoder.layer.{n}."
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes[p + name + ".weight"] = (H, H)
            shapes[p + name + ".bias"] = (H,)
        shapes[p + "intermediate.dense.weight"] = (I, H)
        shapes[p + "intermediate.dense.bias"] = (I,)
        shapes[p + "output.dense.weight"] = (H, I)
        shapes[p + "output.dense.bias"] = (H,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[p + name + ".weight"] = (H,)
            shapes[p + name + ".bias"] = (H,)
    shapes["bert.pooler.dense.weight"] = (H, H)
    shapes["bert.pooler.dense.bias"] = (H,)
    shapes["classifier.weight"] = (LABELS, H)
    shapes["classifier.bias"] = (LABELS,)
    weights = {}
    for name, shape in shapes.items():
        value = torch.randn(shape) * 0.3
        if name.endswith("LayerNorm.weight"):
            value = 1 + value
        # Exactly what a float32 holds, so that both sides start from the same numbers.
        weights[name] = value.float().double().requires_grad_(True)
    return weights


def forward(w, ids, mask):
    rows, length = ids.shape
    norm = lambda x, name: F.layer_norm(x, (H,), w[name + ".weight"], w[name + ".bias"], CONFIG["layer_norm_eps"])
    linear = lambda x, name: F.linear(x, w[name + ".weight"], w[name + ".bias"])
    x = (
        w["bert.embeddings.word_embeddings.weight"][ids]
        + w["bert.embeddings.position_embeddings.weight"][torch.arange(length)]
        + w["bert.embeddings.token_type_embeddings.weight"][torch.zeros_like(ids)]
    )
    x = norm(x, "bert.embeddings.LayerNorm")
    heads, depth = CONFIG["num_attention_heads"], H // CONFIG["num_attention_heads"]
    split = lambda y: y.view(rows, length, heads, depth).transpose(1, 2)
    for n in range(CONFIG["num_hidden_layers"]):
        p = f"bert.encoder.layer.{n}."
        q, k, v = (split(linear(x, p + "attention.self." + part)) for part in ("query", "key", "value"))
        scores = (q @ k.transpose(-1, -2)) / depth**0.5
        scores = scores.masked_fill(mask[:, None, None, :] == 0, torch.finfo(torch.float32).min)
        context = (scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, length, H)
        x = norm(linear(context, p + "attention.output.dense") + x, p + "attention.output.LayerNorm")
        inner = F.gelu(linear(x, p + "intermediate.dense"))
        x = norm(linear(inner, p + "output.dense") + x, p + "output.LayerNorm")
    pooled = torch.tanh(linear(x[:, 0], "bert.pooler.dense"))
    return linear(pooled, "classifier")


def make_batch(generator, rows):
    texts = []
    for _ in range(rows):
        length = int(torch.randint(3, 9, (1,), generator=generator))
        texts.append(torch.randint(1, CONFIG["vocab_size"], (length,), generator=generator).tolist())
    labels = torch.randint(0, LABELS, (rows,), generator=generator).tolist()
    return texts, labels


def padded(texts):
    longest = max(len(t) for t in texts)
    ids = torch.tensor([t + [0] * (longest - len(t)) for t in texts])
    mask = torch.tensor([[1] * len(t) + [0] * (longest - len(t)) for t in texts])
    return ids, mask


def main():
    generator = torch.Generator().manual_seed(3)
    weights = make_weights()
    start = {name: w.detach().clone() for name, w in weights.items()}
    # The last batch is smaller than the rest: our side pads it with rows that must not count.
    batches = [make_batch(generator, 4) for _ in range(4)] + [make_batch(generator, 2)]

    ids, mask = padded(batches[0][0])
    logits = forward(weights, ids, mask)
    loss = F.cross_entropy(logits, torch.tensor(batches[0][1]))
    loss.backward()
    gradients = {name: w.grad.clone() for name, w in weights.items()}

    flat = lambda tensors: {n: [float(f"{v:.9g}") for v in t.detach().flatten().tolist()] for n, t in tensors.items()}
    # The same run a second time with two batches to a step: the loss is the mean over the examples of both.
    training, accumulated = (train(start, batches, size) for size in (1, 2))
    fixture = dict(
        torch=torch.__version__, config=CONFIG, labels=LABELS,
        shapes={n: list(w.shape) for n, w in weights.items()}, weights=flat(start),
        batches=[dict(texts=t, labels=l) for t, l in batches],
        logits=logits.detach().flatten().tolist(), loss=float(loss), gradients=flat(gradients),
        training=dict(**training[0], weights=flat(training[1])),
        accumulated=dict(**accumulated[0], weights=flat(accumulated[1])),
    )
    path = pathlib.Path(__file__).parent / "fixtures" / "bert.json"
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes; losses", fixture["training"]["losses"][-1], fixture["accumulated"]["losses"][-1])


def train(start, batches, accumulation):
    weights = {name: w.clone().requires_grad_(True) for name, w in start.items()}
    steps, warmup, peak, decay, limit = 50, 5, 2e-3, 0.01, 1.0
    plain = [w for name, w in weights.items() if name.endswith(".bias") or "LayerNorm" in name]
    decayed = [w for name, w in weights.items() if not (name.endswith(".bias") or "LayerNorm" in name)]
    optimizer = torch.optim.AdamW(
        [dict(params=decayed, weight_decay=decay), dict(params=plain, weight_decay=0.0)],
        lr=peak, betas=(0.9, 0.999), eps=1e-8,
    )
    factor = lambda n: (n + 1) / warmup if n < warmup else (steps - n) / (steps - warmup)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    losses, norms = [], []
    for step in range(steps):
        chosen = [batches[(step * accumulation + n) % len(batches)] for n in range(accumulation)]
        count = sum(len(labels) for _, labels in chosen)
        optimizer.zero_grad()
        loss_now = 0.0
        for texts, labels in chosen:
            part = F.cross_entropy(forward(weights, *padded(texts)), torch.tensor(labels), reduction="sum") / count
            part.backward()
            loss_now += float(part)
        norms.append(float(torch.nn.utils.clip_grad_norm_(weights.values(), limit)))
        optimizer.step()
        schedule.step()
        losses.append(loss_now)
    figures = dict(steps=steps, warmup=warmup, peak=peak, weightDecay=decay, clip=limit, accumulation=accumulation, losses=losses, norms=norms)
    return figures, weights


main()
