"""Writes fixtures/{vit,clip}.json: tiny ViT and CLIP in plain PyTorch, in double precision, as an independent truth.

Run with a Python that has PyTorch: python3 test/oracle/vision.py
It uses only torch's own layer_norm, conv2d and softmax, none of this project's code, and follows the structure that Hugging
Face's ViTForImageClassification, CLIPForImageClassification and CLIPModel publish, weight names included.
"""
import torch
import torch.nn.functional as F

from tiny import draw, numbers, record, write

torch.manual_seed(32)
LABELS = 3


class Weights(dict):
    """Makes a weight when it is first asked for."""

    def get(self, name, *shape, start=0.0):
        if name not in self:
            self[name] = draw(shape, 0.3, start)
        return self[name]

    def linear(self, x, name, out, bias=True):
        return F.linear(x, self.get(name + ".weight", out, x.shape[-1]), self.get(name + ".bias", out) if bias else None)

    def norm(self, x, name, eps):
        size = x.shape[-1]
        return F.layer_norm(x, (size,), self.get(name + ".weight", size, start=1.0), self.get(name + ".bias", size), eps)


def encoder(w, x, config, layer_name, names, act, mask=None, bias=True):
    hidden, heads, eps = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    rows, length, depth = x.shape[0], x.shape[1], hidden // heads
    for n in range(config["num_hidden_layers"]):
        name = lambda part: layer_name.format(n) + names[part]
        y = w.norm(x, name("norm1"), eps)
        q, k, v = (w.linear(y, name(p), hidden, bias).view(rows, length, heads, depth).transpose(1, 2) for p in "qkv")
        scores = q @ k.transpose(-1, -2) / depth**0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        context = (scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, length, hidden)
        x = x + w.linear(context, name("out"), hidden)
        y = w.norm(x, name("norm2"), eps)
        x = x + w.linear(act(w.linear(y, name("fc1"), config["intermediate_size"])), name("fc2"), hidden)
    return x


VIT = dict(q="attention.attention.query", k="attention.attention.key", v="attention.attention.value",
           out="attention.output.dense", norm1="layernorm_before", norm2="layernorm_after", fc1="intermediate.dense",
           fc2="output.dense")
CLIP = dict(q="self_attn.q_proj", k="self_attn.k_proj", v="self_attn.v_proj", out="self_attn.out_proj",
            norm1="layer_norm1", norm2="layer_norm2", fc1="mlp.fc1", fc2="mlp.fc2")
quick_gelu = lambda x: x * torch.sigmoid(1.702 * x)


def patches(x, kernels, bias, size):
    return F.conv2d(x, kernels, bias, stride=size).flatten(2).transpose(1, 2)


def vit(w, config, pixels):
    hidden, patch = config["hidden_size"], config["patch_size"]
    count = (config["image_size"] // patch) ** 2
    p = "vit.embeddings."
    x = patches(pixels, w.get(p + "patch_embeddings.projection.weight", hidden, pixels.shape[1], patch, patch),
                w.get(p + "patch_embeddings.projection.bias", hidden), patch)
    x = torch.cat([w.get(p + "cls_token", 1, 1, hidden).expand(len(x), -1, -1), x], 1)
    x = x + w.get(p + "position_embeddings", 1, count + 1, hidden)
    x = encoder(w, x, config, "vit.encoder.layer.{}.", VIT, F.gelu, bias=config["qkv_bias"])
    x = w.norm(x, "vit.layernorm", config["layer_norm_eps"])
    return w.linear(x[:, 0], "classifier", LABELS)


def clip_image(w, config, pixels):
    config = config["vision_config"]
    hidden, patch = config["hidden_size"], config["patch_size"]
    count = (config["image_size"] // patch) ** 2
    p = "vision_model.embeddings."
    x = patches(pixels, w.get(p + "patch_embedding.weight", hidden, pixels.shape[1], patch, patch), None, patch)
    x = torch.cat([w.get(p + "class_embedding", hidden).expand(len(x), 1, -1), x], 1)
    x = x + w.get(p + "position_embedding.weight", count + 1, hidden)
    x = w.norm(x, "vision_model.pre_layrnorm", config["layer_norm_eps"])
    return encoder(w, x, config, "vision_model.encoder.layers.{}.", CLIP, quick_gelu)


def clip_classifier(w, config, pixels):
    return w.linear(clip_image(w, config, pixels)[:, 1:].mean(1), "classifier", LABELS)


def clip_text(w, config, ids, mask):
    config = config["text_config"]
    hidden, length = config["hidden_size"], ids.shape[1]
    x = w.get("text_model.embeddings.token_embedding.weight", config["vocab_size"], hidden)[ids]
    x = x + w.get("text_model.embeddings.position_embedding.weight", config["max_position_embeddings"], hidden)[:length]
    seen = torch.tril(torch.ones(length, length, dtype=torch.bool)) & mask[:, None, None, :].bool()
    x = encoder(w, x, config, "text_model.encoder.layers.{}.", CLIP, quick_gelu, seen)
    return w.norm(x, "text_model.final_layer_norm", config["layer_norm_eps"])


def contrast(w, config, pixels, ids, mask):
    eps = config["vision_config"]["layer_norm_eps"]
    image = w.norm(clip_image(w, config, pixels)[:, 0], "vision_model.post_layernorm", eps)
    image = w.linear(image, "visual_projection", config["projection_dim"], False)
    text = clip_text(w, config, ids, mask)[torch.arange(len(ids)), mask.sum(1) - 1]
    text = w.linear(text, "text_projection", config["projection_dim"], False)
    image, text = F.normalize(image, dim=-1), F.normalize(text, dim=-1)
    logits = text @ image.T * w.get("logit_scale", start=1.0).exp()
    pairs = torch.arange(len(ids))
    return logits, (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2


def case(network, config, pixels, labels):
    weights = Weights()
    logits = network(weights, config, pixels)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    return dict(config=config, training=False, logits=numbers(logits), loss=float(loss), weights=record(weights), moved={})


def main():
    labels = torch.tensor([2, 0])
    pixels = draw((2, 3, 9, 9), 1.0).detach()
    shared = dict(pixels=numbers(pixels), shape=list(pixels.shape), classes=labels.tolist(), labels=LABELS)
    size = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12)
    config = dict(model_type="vit", **size, hidden_act="gelu", layer_norm_eps=1e-6, image_size=9, patch_size=4,
                  num_channels=3, qkv_bias=True)
    write("vit", dict(**shared, cases=[
        case(vit, config, pixels, labels), case(vit, dict(config, patch_size=3, qkv_bias=False), pixels, labels)]))

    tower = dict(num_hidden_layers=2, num_attention_heads=2, hidden_act="quick_gelu", layer_norm_eps=1e-5)
    config = dict(
        model_type="clip", projection_dim=5,
        text_config=dict(tower, vocab_size=12, hidden_size=6, intermediate_size=10, max_position_embeddings=8),
        vision_config=dict(tower, hidden_size=8, intermediate_size=12, num_channels=3, image_size=9, patch_size=3))
    weights = Weights()
    ids = torch.tensor([[1, 4, 7, 2, 0], [1, 5, 2, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]])
    logits, loss = contrast(weights, config, pixels, ids, mask)
    loss.backward()
    write("clip", dict(**shared, cases=[case(clip_classifier, config, pixels, labels)], contrast=dict(
        config=config, inputIds=ids.tolist(), lengths=mask.sum(1).tolist(), similarities=numbers(logits),
        loss=float(loss), weights=record(weights))))


main()
