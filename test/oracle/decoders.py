"""Writes fixtures/gpt2.json and llama.json: tiny GPT-2, Llama, Mistral, Qwen2 and Qwen3 in plain PyTorch, with every head and every rotary scaling.

Run with a Python that has PyTorch: python3 test/oracle/decoders.py
It follows the published descriptions of the models and uses none of this project's code.
"""
import math

import torch
import torch.nn.functional as F

from seeded import solve, write

GELU_NEW = lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def attention(q, k, v, seen):
    """q, k, v [rows, heads, length, depth]; seen [rows, 1, query, key]."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    probabilities = scores.masked_fill(~seen, -1e30).softmax(-1)
    return (probabilities @ v).transpose(1, 2).flatten(2)


def what_is_seen(mask, window=None):
    length = mask.shape[1]
    back = torch.arange(length)[:, None] - torch.arange(length)[None, :]
    causal = (back >= 0) & (back < (window or length))
    return causal[None, None] & (mask[:, None, None, :] == 1)


def heads_of(w, x, mask, head, words, vocabulary, hidden, tied, token_classifier):
    kind = head["kind"]
    if kind in ("classification", "regression"):
        last = x[torch.arange(len(x)), mask.sum(1) - 1]
        return w.linear(last, "score", head.get("labels") or head.get("targets"), bias=False)
    if kind == "token-classification":
        return w.linear(x, token_classifier, head["labels"])
    if kind == "embedding":
        return (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return x @ w(words if tied else "lm_head.weight", vocabulary, hidden).T


def gpt2(w, c, ids, mask, head):
    hidden, length = c["n_embd"], ids.shape[1]
    linear = lambda x, name, out: x @ w(name + ".weight", x.shape[-1], out) + w(name + ".bias", out)
    norm = lambda x, name: w.norm(x, name, c["layer_norm_epsilon"])
    x = w("transformer.wte.weight", c["vocab_size"], hidden)[ids] + w("transformer.wpe.weight", c["n_positions"], hidden)[:length]
    for n in range(c["n_layer"]):
        p = f"transformer.h.{n}."
        q, k, v = linear(norm(x, p + "ln_1"), p + "attn.c_attn", 3 * hidden).split(hidden, 2)
        apart = lambda y: y.unflatten(2, (c["n_head"], -1)).transpose(1, 2)
        x = x + linear(attention(apart(q), apart(k), apart(v), what_is_seen(mask)), p + "attn.c_proj", hidden)
        x = x + linear(GELU_NEW(linear(norm(x, p + "ln_2"), p + "mlp.c_fc", 4 * hidden)), p + "mlp.c_proj", hidden)
    x = norm(x, "transformer.ln_f")
    return heads_of(w, x, mask, head, "transformer.wte.weight", c["vocab_size"], hidden, c.get("tie_word_embeddings", True), "classifier")


def inverse_frequencies(c, depth, length):
    """Of each pair, and what multiplies cos and sin: the definitions of modeling_rope_utils.py, read from its papers."""
    theta, known = c["rope_theta"], c["max_position_embeddings"]
    scaling = c.get("rope_scaling") or {"rope_type": "default"}
    kind, factor = scaling["rope_type"], scaling.get("factor")
    exponents = torch.arange(0, depth, 2) / depth
    if kind == "dynamic":
        theta = theta * (factor * max(length, known) / known - (factor - 1)) ** (depth / (depth - 2))
    plain = theta**-exponents
    if kind == "linear":
        return plain / factor, 1.0
    if kind == "llama3":
        wavelength = 2 * math.pi / plain
        context = scaling["original_max_position_embeddings"]
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        smooth = (context / wavelength - low) / (high - low)
        mixed = (1 - smooth) * plain / factor + smooth * plain
        return torch.where(wavelength > context / low, plain / factor, torch.where(wavelength < context / high, plain, mixed)), 1.0
    if kind == "yarn":
        context = scaling["original_max_position_embeddings"]
        pair = lambda turns: depth * math.log(context / (turns * 2 * math.pi)) / (2 * math.log(theta))
        low = max(math.floor(pair(scaling.get("beta_fast", 32))), 0)
        high = min(math.ceil(pair(scaling.get("beta_slow", 1))), depth - 1)
        ramp = ((torch.arange(depth // 2) - low) / (high - low if high != low else 0.001)).clamp(0, 1)
        return plain / factor * ramp + plain * (1 - ramp), 0.1 * math.log(factor) + 1
    return plain, 1.0


def llama(w, c, ids, mask, head):
    hidden, length, heads, key_heads = c["hidden_size"], ids.shape[1], c["num_attention_heads"], c["num_key_value_heads"]
    depth, family = c.get("head_dim") or hidden // heads, c["model_type"]
    inverse, amplitude = inverse_frequencies(c, depth, length)
    angles = torch.outer(torch.arange(length).double(), inverse).repeat(1, 2)
    cos, sin = angles.cos() * amplitude, angles.sin() * amplitude
    turn = lambda y: y * cos + torch.cat((-y[..., depth // 2 :], y[..., : depth // 2]), -1) * sin
    rms = lambda y, name: y * (y.pow(2).mean(-1, keepdim=True) + c["rms_norm_eps"]).rsqrt() * w(name + ".weight", y.shape[-1])
    qkv_bias = family == "qwen2" or c.get("attention_bias", False)
    o_bias = family != "qwen2" and c.get("attention_bias", False)
    mlp_bias = c.get("mlp_bias", False)
    x = w("model.embed_tokens.weight", c["vocab_size"], hidden)[ids]
    for n in range(c["num_hidden_layers"]):
        p = f"model.layers.{n}."
        window = None
        if family == "mistral" or (c.get("use_sliding_window") and n >= c["max_window_layers"]):
            window = c["sliding_window"]
        y = rms(x, p + "input_layernorm")
        apart = lambda part, count: w.linear(y, p + f"self_attn.{part}_proj", count * depth, qkv_bias).unflatten(2, (count, depth))
        q, k, v = apart("q", heads), apart("k", key_heads), apart("v", key_heads)
        if family == "qwen3":
            q, k = rms(q, p + "self_attn.q_norm"), rms(k, p + "self_attn.k_norm")
        q, k, v = (z.transpose(1, 2) for z in (q, k, v))
        k, v = (z.repeat_interleave(heads // key_heads, 1) for z in (turn(k), v))
        x = x + w.linear(attention(turn(q), k, v, what_is_seen(mask, window)), p + "self_attn.o_proj", hidden, o_bias)
        y = rms(x, p + "post_attention_layernorm")
        gate, up = (w.linear(y, p + f"mlp.{part}_proj", c["intermediate_size"], mlp_bias) for part in ("gate", "up"))
        x = x + w.linear(F.silu(gate) * up, p + "mlp.down_proj", hidden, mlp_bias)
    x = rms(x, "model.norm")
    return heads_of(w, x, mask, head, "model.embed_tokens.weight", c["vocab_size"], hidden, c["tie_word_embeddings"], "score")


GPT2 = dict(
    model_type="gpt2", vocab_size=24, n_positions=16, n_embd=8, n_layer=2, n_head=2, activation_function="gelu_new", embd_pdrop=0.0,
    attn_pdrop=0.0, resid_pdrop=0.0, layer_norm_epsilon=1e-5,
)
LLAMA = dict(
    model_type="llama", vocab_size=24, hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, hidden_act="silu", max_position_embeddings=16, rms_norm_eps=1e-5, rope_theta=100.0, tie_word_embeddings=False,
    attention_dropout=0.0,
)
LM, CLASSES = dict(kind="causal-lm"), dict(kind="classification", labels=3)
SHORT = {**LLAMA, "num_hidden_layers": 1, "tie_word_embeddings": True, "hidden_size": 8, "num_attention_heads": 1, "num_key_value_heads": 1}
CASES = [
    ("gpt2", GPT2, CLASSES), ("gpt2", GPT2, LM), ("gpt2", GPT2, dict(kind="token-classification", labels=3)),
    ("gpt2 untied", {**GPT2, "tie_word_embeddings": False}, LM), ("gpt2", GPT2, dict(kind="embedding")),
    ("llama", LLAMA, LM), ("llama", LLAMA, CLASSES), ("llama", SHORT, dict(kind="token-classification", labels=3)),
    ("llama", SHORT, dict(kind="regression", targets=2)), ("llama", SHORT, dict(kind="embedding")),
    ("llama with biases", {**LLAMA, "attention_bias": True, "mlp_bias": True, "num_hidden_layers": 1}, LM),
    ("mistral", {**LLAMA, "model_type": "mistral", "sliding_window": 3}, LM),
    ("mistral", {**LLAMA, "model_type": "mistral", "sliding_window": 3, "num_hidden_layers": 1}, CLASSES),
    ("qwen2", {**LLAMA, "model_type": "qwen2", "tie_word_embeddings": True}, LM),
    ("qwen2", {**LLAMA, "model_type": "qwen2", "num_hidden_layers": 1}, CLASSES),
    ("qwen2 with windows", {**LLAMA, "model_type": "qwen2", "use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1}, LM),
    ("qwen3", {**LLAMA, "model_type": "qwen3", "head_dim": 6}, LM),
    ("qwen3", {**LLAMA, "model_type": "qwen3", "head_dim": 6, "num_hidden_layers": 1}, CLASSES),
    ("llama linear", {**SHORT, "rope_scaling": dict(rope_type="linear", factor=2.0)}, LM),
    ("llama dynamic", {**SHORT, "max_position_embeddings": 4, "rope_scaling": dict(rope_type="dynamic", factor=3.0)}, LM),
    ("llama llama3", {**SHORT, "rope_scaling": dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)}, LM),
    ("llama yarn", {**SHORT, "max_position_embeddings": 64, "rope_scaling": dict(
        rope_type="yarn", factor=4.0, beta_fast=4.0, beta_slow=1.0, original_max_position_embeddings=32)}, LM),
]

if __name__ == "__main__":
    for file, forward, wanted in (("gpt2.json", gpt2, True), ("llama.json", llama, False)):
        write(file, [
            solve(f"{name} {head['kind']}", c, head, forward, [8, 5, 1], c["vocab_size"], 0)
            for name, c, head in CASES if (c["model_type"] == "gpt2") == wanted
        ])
