"""PyTorch's side of the training bench: the same networks in plain eager PyTorch, as Transformers and torchvision write them.

Reads one workload as JSON from the command line, then takes one step for each line on stdin and prints its time.
"""
import json
import math
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

workload = json.loads(sys.argv[1])
torch.set_num_threads(workload["threads"])
torch.manual_seed(0)
config, head = workload["config"], workload["head"]
rank = workload["loraRank"]


class Lora(nn.Module):
    """A frozen linear layer and its low-rank update, as PEFT's."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.a = nn.Linear(base.in_features, rank, bias=False)
        self.b = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.b.weight)

    def forward(self, x):
        return self.base(x) + self.b(self.a(x)) * 2.0


def linear(i, o, bias=True, adapted=False):
    layer = nn.Linear(i, o, bias)
    return Lora(layer) if adapted and workload["method"] == "lora" else layer


class Conv1D(nn.Module):
    """GPT-2's linear layer: the weight lies [in, out]."""

    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(i, o) * 0.02)
        self.bias = nn.Parameter(torch.zeros(o))

    def forward(self, x):
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(*x.shape[:-1], -1)


def attention(q, k, v, bias):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return (scores + bias).softmax(-1) @ v


class DistilBertBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["dim"]
        self.heads = c["n_heads"]
        self.q, self.k, self.v, self.o = linear(d, d, adapted=True), linear(d, d), linear(d, d, adapted=True), linear(d, d)
        self.n1, self.n2 = nn.LayerNorm(d, 1e-12), nn.LayerNorm(d, 1e-12)
        self.up, self.down = linear(d, c["hidden_dim"]), linear(c["hidden_dim"], d)

    def forward(self, x, bias):
        b, n, d = x.shape
        split = lambda y: y.view(b, n, self.heads, -1).transpose(1, 2)
        y = attention(split(self.q(x)), split(self.k(x)), split(self.v(x)), bias).transpose(1, 2).reshape(b, n, d)
        x = self.n1(x + self.o(y))
        return self.n2(x + self.down(F.gelu(self.up(x))))


class DistilBert(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["dim"]
        self.words, self.places = nn.Embedding(c["vocab_size"], d), nn.Embedding(c["max_position_embeddings"], d)
        self.norm = nn.LayerNorm(d, 1e-12)
        self.blocks = nn.ModuleList(DistilBertBlock(c) for _ in range(c["n_layers"]))
        self.pre_classifier, self.classifier = linear(d, d), linear(d, head["labels"])

    def forward(self, ids):
        bias = torch.zeros(ids.shape[0], 1, 1, ids.shape[1])
        x = self.norm(self.words(ids) + self.places(torch.arange(ids.shape[1])))
        for block in self.blocks:
            x = block(x, bias)
        return self.classifier(F.relu(self.pre_classifier(x[:, 0])))

    heads_of = ("pre_classifier", "classifier")


class Gpt2Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["n_embd"]
        self.heads = c["n_head"]
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.o, self.up, self.down = Conv1D(d, 3 * d), Conv1D(d, d), Conv1D(d, 4 * d), Conv1D(4 * d, d)

    def forward(self, x, bias):
        b, n, d = x.shape
        q, k, v = (y.view(b, n, self.heads, -1).transpose(1, 2) for y in self.qkv(self.n1(x)).split(d, 2))
        x = x + self.o(attention(q, k, v, bias).transpose(1, 2).reshape(b, n, d))
        return x + self.down(F.gelu(self.up(self.n2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["n_embd"]
        self.words, self.places = nn.Embedding(c["vocab_size"], d), nn.Embedding(c["n_positions"], d)
        self.blocks = nn.ModuleList(Gpt2Block(c) for _ in range(c["n_layer"]))
        self.norm = nn.LayerNorm(d)

    def forward(self, ids):
        n = ids.shape[1]
        bias = torch.full((n, n), -1e4).triu(1)
        x = self.words(ids) + self.places(torch.arange(n))
        for block in self.blocks:
            x = block(x, bias)
        return F.linear(self.norm(x), self.words.weight)

    heads_of = ()


class RmsNorm(nn.Module):
    def __init__(self, d, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(d)), eps

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


class QwenBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, self.heads, self.keys = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
        self.depth = d // self.heads
        self.n1, self.n2 = RmsNorm(d, c["rms_norm_eps"]), RmsNorm(d, c["rms_norm_eps"])
        self.q = linear(d, d, adapted=True)
        self.k = linear(d, self.keys * self.depth)
        self.v = linear(d, self.keys * self.depth, adapted=True)
        self.o = linear(d, d, bias=False)
        i = c["intermediate_size"]
        self.gate, self.up, self.down = linear(d, i, bias=False), linear(d, i, bias=False), linear(i, d, bias=False)

    def forward(self, x, bias, cos, sin):
        b, n, d = x.shape
        y = self.n1(x)
        split = lambda z, heads: z.view(b, n, heads, self.depth).transpose(1, 2)
        turn = lambda z: z * cos + torch.cat((-z[..., self.depth // 2 :], z[..., : self.depth // 2]), -1) * sin
        q, k, v = turn(split(self.q(y), self.heads)), turn(split(self.k(y), self.keys)), split(self.v(y), self.keys)
        groups = self.heads // self.keys
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        x = x + self.o(attention(q, k, v, bias).transpose(1, 2).reshape(b, n, d))
        y = self.n2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Qwen(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["hidden_size"]
        self.config = c
        self.words = nn.Embedding(c["vocab_size"], d)
        self.blocks = nn.ModuleList(QwenBlock(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RmsNorm(d, c["rms_norm_eps"])

    def forward(self, ids):
        n, c = ids.shape[1], self.config
        depth = c["hidden_size"] // c["num_attention_heads"]
        angles = torch.arange(n)[:, None] / c["rope_theta"] ** (torch.arange(0, depth, 2)[None] / depth)
        angles = torch.cat((angles, angles), -1)
        bias = torch.full((n, n), -1e4).triu(1)
        x = self.words(ids)
        for block in self.blocks:
            x = block(x, bias, angles.cos(), angles.sin())
        return F.linear(self.norm(x), self.words.weight)

    heads_of = ()


class Bottleneck(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        m = o // 4
        conv = lambda a, b, k, s=1: nn.Sequential(nn.Conv2d(a, b, k, s, k // 2, bias=False), nn.BatchNorm2d(b))
        self.a, self.b, self.c = conv(i, m, 1), conv(m, m, 3, stride), conv(m, o, 1)
        self.short = conv(i, o, 1, stride) if i != o or stride != 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.c(F.relu(self.b(F.relu(self.a(x))))) + self.short(x))


class ResNet(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["embedding_size"]
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width))
        blocks = []
        for stage, (size, depth) in enumerate(zip(c["hidden_sizes"], c["depths"])):
            for at in range(depth):
                blocks.append(Bottleneck(width, size, 2 if at == 0 and stage > 0 else 1))
                width = size
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(width, head["labels"])

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2, 1)
        return self.classifier(self.blocks(x).mean((2, 3)))

    heads_of = ("classifier",)


families = {"distilbert": DistilBert, "gpt2": Gpt2, "qwen2": Qwen, "resnet": ResNet}
model = families[config["model_type"]](config)
if workload["method"] == "lora":
    for name, parameter in model.named_parameters():
        adapter = ".a.weight" in name or ".b.weight" in name
        parameter.requires_grad = adapter or name.split(".")[0] in model.heads_of
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-5, weight_decay=0.01)
rows, length = workload["rows"], workload["length"]
if config["model_type"] == "resnet":
    inputs = torch.randn(rows, 3, length, length)
else:
    inputs = torch.randint(config["vocab_size"], (rows, length))


def step():
    answer = model(inputs)
    if head["kind"] == "causal-lm":
        loss = F.cross_entropy(answer[:, :-1].reshape(-1, answer.shape[-1]), inputs[:, 1:].reshape(-1))
    else:
        loss = F.cross_entropy(answer, torch.arange(rows) % head["labels"])
    loss.backward()
    nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


print(json.dumps({"ready": True, "trained": sum(p.numel() for p in trained)}), flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    loss = step()
    ms = (time.perf_counter() - started) * 1000
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"ms": ms, "peakRssBytes": rss, "loss": loss}), flush=True)
