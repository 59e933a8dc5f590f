"""Writes fixtures/encoders.json: tiny BERT, RoBERTa, DistilBERT and MPNet with every head, in plain PyTorch.

Run with a Python that has PyTorch: python3 test/oracle/encoders.py
It follows the published descriptions of the models and uses none of this project's code.
"""
import math

import torch
import torch.nn.functional as F

from seeded import solve, write

ACTIVATIONS = dict(gelu=F.gelu, relu=F.relu, gelu_new=lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


def attention(q, k, v, heads, lean):
    rows, length, hidden = q.shape
    apart = lambda x: x.view(rows, length, heads, hidden // heads).transpose(1, 2)
    scores = apart(q) @ apart(k).transpose(-1, -2) / math.sqrt(hidden // heads) + lean
    return (scores.softmax(-1) @ apart(v)).transpose(1, 2).reshape(rows, length, hidden)


def hide_padding(mask):
    return torch.zeros(mask.shape).masked_fill(mask == 0, -1e30)[:, None, None, :]


def mean_pool(x, mask):
    return (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def bert_body(w, c, ids, mask, prefix, first):
    e = prefix + ".embeddings."
    hidden, length = c["hidden_size"], ids.shape[1]
    x = w(e + "word_embeddings.weight", c["vocab_size"], hidden)[ids]
    x = x + w(e + "position_embeddings.weight", c["max_position_embeddings"], hidden)[first + torch.arange(length)]
    x = x + w(e + "token_type_embeddings.weight", c["type_vocab_size"], hidden)[torch.zeros_like(ids)]
    x = w.norm(x, e + "LayerNorm", c["layer_norm_eps"])
    for n in range(c["num_hidden_layers"]):
        p = f"{prefix}.encoder.layer.{n}."
        q, k, v = (w.linear(x, p + "attention.self." + part, hidden) for part in ("query", "key", "value"))
        y = attention(q, k, v, c["num_attention_heads"], hide_padding(mask))
        x = w.norm(w.linear(y, p + "attention.output.dense", hidden) + x, p + "attention.output.LayerNorm", c["layer_norm_eps"])
        y = ACTIVATIONS[c["hidden_act"]](w.linear(x, p + "intermediate.dense", c["intermediate_size"]))
        x = w.norm(w.linear(y, p + "output.dense", hidden) + x, p + "output.LayerNorm", c["layer_norm_eps"])
    return x


def bert(w, c, ids, mask, head):
    x = bert_body(w, c, ids, mask, "bert", 0)
    hidden, kind = c["hidden_size"], head["kind"]
    if kind in ("classification", "regression"):
        pooled = torch.tanh(w.linear(x[:, 0], "bert.pooler.dense", hidden))
        return w.linear(pooled, "classifier", head.get("labels") or head.get("targets"))
    if kind == "token-classification":
        return w.linear(x, "classifier", head["labels"])
    if kind == "embedding":
        return mean_pool(x, mask)
    x = ACTIVATIONS[c["hidden_act"]](w.linear(x, "cls.predictions.transform.dense", hidden))
    x = w.norm(x, "cls.predictions.transform.LayerNorm", c["layer_norm_eps"])
    words = w("bert.embeddings.word_embeddings.weight", c["vocab_size"], hidden)
    return x @ words.T + w("cls.predictions.bias", c["vocab_size"])


def roberta_heads(w, c, x, mask, head, words):
    hidden, kind = c["hidden_size"], head["kind"]
    if kind in ("classification", "regression"):
        x = torch.tanh(w.linear(x[:, 0], "classifier.dense", hidden))
        return w.linear(x, "classifier.out_proj", head.get("labels") or head.get("targets"))
    if kind == "token-classification":
        return w.linear(x, "classifier", head["labels"])
    if kind == "embedding":
        return mean_pool(x, mask)
    x = w.norm(F.gelu(w.linear(x, "lm_head.dense", hidden)), "lm_head.layer_norm", c["layer_norm_eps"])
    return x @ w(words, c["vocab_size"], hidden).T + w("lm_head.bias", c["vocab_size"])


def roberta(w, c, ids, mask, head):
    x = bert_body(w, c, ids, mask, "roberta", c["pad_token_id"] + 1)
    return roberta_heads(w, c, x, mask, head, "roberta.embeddings.word_embeddings.weight")


def distilbert(w, c, ids, mask, head):
    hidden, kind = c["dim"], head["kind"]
    words = w("distilbert.embeddings.word_embeddings.weight", c["vocab_size"], hidden)
    places = w("distilbert.embeddings.position_embeddings.weight", c["max_position_embeddings"], hidden)
    x = w.norm(words[ids] + places[: ids.shape[1]], "distilbert.embeddings.LayerNorm", 1e-12)
    for n in range(c["n_layers"]):
        p = f"distilbert.transformer.layer.{n}."
        q, k, v = (w.linear(x, p + f"attention.{part}_lin", hidden) for part in "qkv")
        y = w.linear(attention(q, k, v, c["n_heads"], hide_padding(mask)), p + "attention.out_lin", hidden)
        x = w.norm(y + x, p + "sa_layer_norm", 1e-12)
        y = w.linear(ACTIVATIONS[c["activation"]](w.linear(x, p + "ffn.lin1", c["hidden_dim"])), p + "ffn.lin2", hidden)
        x = w.norm(y + x, p + "output_layer_norm", 1e-12)
    if kind in ("classification", "regression"):
        x = F.relu(w.linear(x[:, 0], "pre_classifier", hidden))
        return w.linear(x, "classifier", head.get("labels") or head.get("targets"))
    if kind == "token-classification":
        return w.linear(x, "classifier", head["labels"])
    if kind == "embedding":
        return mean_pool(x, mask)
    x = w.norm(ACTIVATIONS[c["activation"]](w.linear(x, "vocab_transform", hidden)), "vocab_layer_norm", 1e-12)
    return x @ words.T + w("vocab_projector.bias", c["vocab_size"])


def mpnet_bucket(distance, buckets):
    """T5's buckets, two-sided, up to 128 places apart. `distance` is the key's place less the query's."""
    half = buckets // 2
    bucket = half if distance > 0 else 0
    n = abs(distance)
    exact = half // 2
    if n < exact:
        return bucket + n
    return bucket + min(half - 1, exact + int(math.log(n / exact) / math.log(128 / exact) * (half - exact)))


def mpnet(w, c, ids, mask, head):
    hidden, length = c["hidden_size"], ids.shape[1]
    x = w("mpnet.embeddings.word_embeddings.weight", c["vocab_size"], hidden)[ids]
    first = c["pad_token_id"] + 1
    x = x + w("mpnet.embeddings.position_embeddings.weight", c["max_position_embeddings"], hidden)[first : first + length]
    x = w.norm(x, "mpnet.embeddings.LayerNorm", c["layer_norm_eps"])
    buckets = torch.tensor([[mpnet_bucket(key - query, c["relative_attention_num_buckets"]) for key in range(length)] for query in range(length)])
    table = w("mpnet.encoder.relative_attention_bias.weight", c["relative_attention_num_buckets"], c["num_attention_heads"])
    lean = table[buckets].permute(2, 0, 1)[None] + hide_padding(mask)
    for n in range(c["num_hidden_layers"]):
        p = f"mpnet.encoder.layer.{n}."
        q, k, v = (w.linear(x, p + "attention.attn." + part, hidden) for part in "qkv")
        y = w.linear(attention(q, k, v, c["num_attention_heads"], lean), p + "attention.attn.o", hidden)
        x = w.norm(y + x, p + "attention.LayerNorm", c["layer_norm_eps"])
        y = ACTIVATIONS[c["hidden_act"]](w.linear(x, p + "intermediate.dense", c["intermediate_size"]))
        x = w.norm(w.linear(y, p + "output.dense", hidden) + x, p + "output.LayerNorm", c["layer_norm_eps"])
    return roberta_heads(w, c, x, mask, head, "mpnet.embeddings.word_embeddings.weight")


BERT = dict(
    model_type="bert", vocab_size=24, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, hidden_act="gelu",
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=12, type_vocab_size=2, layer_norm_eps=1e-5,
)
ROBERTA = {**BERT, "model_type": "roberta", "type_vocab_size": 1, "pad_token_id": 1, "hidden_act": "gelu_new"}
DISTILBERT = dict(
    model_type="distilbert", vocab_size=24, dim=8, hidden_dim=12, n_layers=2, n_heads=2, activation="gelu", dropout=0.0,
    attention_dropout=0.0, seq_classif_dropout=0.0, max_position_embeddings=12, sinusoidal_pos_embds=False,
)
MPNET = {**BERT, "model_type": "mpnet", "relative_attention_num_buckets": 32, "max_position_embeddings": 16, "pad_token_id": 1, "hidden_act": "relu"}
del MPNET["type_vocab_size"]
HEADS = [
    dict(kind="classification", labels=3), dict(kind="regression", targets=2), dict(kind="token-classification", labels=4),
    dict(kind="masked-lm"), dict(kind="embedding"),
]

if __name__ == "__main__":
    families = [(BERT, bert, 0), (ROBERTA, roberta, 1), (DISTILBERT, distilbert, 0), (MPNET, mpnet, 1)]
    write("encoders.json", [
        solve(f"{c['model_type']} {head['kind']}", c, head, forward, [12 if c is MPNET else 8, 5, 3], c["vocab_size"], pad)
        for c, forward, pad in families for head in HEADS
    ])
