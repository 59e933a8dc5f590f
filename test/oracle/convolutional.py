"""Writes fixtures/{resnet,mobilenet-v2}.json: tiny networks in plain PyTorch, in double precision, as an independent truth.

Run with a Python that has PyTorch: python3 test/oracle/convolutional.py
It uses only torch's own convolution, batch_norm and pooling, none of this project's code, and follows the structure that
Hugging Face's ResNetForImageClassification and MobileNetV2ForImageClassification publish, weight names included.
"""
import torch
import torch.nn.functional as F

from tiny import draw, numbers, record, write

torch.manual_seed(31)
LABELS = 3


def block(weights, name, x, to, kernel, stride=1, groups=1, eps=1e-5, act=None, training=False, pad=None, dilation=1):
    """Convolution + batch normalisation; makes the weights on the first call."""
    if name + ".convolution.weight" not in weights:
        weights[name + ".convolution.weight"] = draw(
            (to, x.shape[1] // groups, kernel, kernel), (2 / (x.shape[1] // groups * kernel**2)) ** 0.5)
        weights[name + ".normalization.weight"] = draw((to,), 0.3, 1.0)
        # Mostly above zero, so that few channels of these narrow networks are dead.
        weights[name + ".normalization.bias"] = draw((to,), 0.3, 0.7)
        weights[name + ".normalization.running_mean"] = draw((to,)).detach()
        weights[name + ".normalization.running_var"] = (0.5 + torch.rand(to)).float().double()
    padding = kernel // 2 * dilation
    if pad is not None:
        x, padding = F.pad(x, pad(x)), 0
    y = F.conv2d(x, weights[name + ".convolution.weight"], stride=stride, padding=padding, groups=groups, dilation=dilation)
    part = lambda key: weights[name + ".normalization." + key]
    mean, var = part("running_mean"), part("running_var")
    if training:
        # Updated in place by batch_norm: the copies are what the step leaves behind.
        mean, var = mean.clone(), var.clone()
        TRACKED[name + ".normalization"] = (mean, var)
    y = F.batch_norm(y, mean, var, part("weight"), part("bias"), training=training, momentum=0.1, eps=eps)
    return act(y) if act else y


TRACKED = {}


def resnet(w, config, x, training=False):
    keep = dict(training=training)
    x = block(w, "resnet.embedder.embedder", x, config["embedding_size"], 7, 2, act=F.relu, **keep)
    x = F.max_pool2d(x, 3, 2, 1)
    for s, (to, depth) in enumerate(zip(config["hidden_sizes"], config["depths"])):
        for l in range(depth):
            p = f"resnet.encoder.stages.{s}.layers.{l}."
            stride = 2 if l == 0 and (s > 0 or config["downsample_in_first_stage"]) else 1
            short = x
            if stride != 1 or x.shape[1] != to:
                short = block(w, p + "shortcut", x, to, 1, stride, **keep)
            if config["layer_type"] == "basic":
                y = block(w, p + "layer.0", x, to, 3, stride, act=F.relu, **keep)
                y = block(w, p + "layer.1", y, to, 3, **keep)
            else:
                first = config["downsample_in_bottleneck"]
                y = block(w, p + "layer.0", x, to // 4, 1, stride if first else 1, act=F.relu, **keep)
                y = block(w, p + "layer.1", y, to // 4, 3, 1 if first else stride, act=F.relu, **keep)
                y = block(w, p + "layer.2", y, to, 1, **keep)
            x = F.relu(y + short)
    return head(w, "classifier.1", x)


def head(w, name, x):
    pooled = x.mean((2, 3))
    if name + ".weight" not in w:
        w[name + ".weight"] = draw((LABELS, pooled.shape[1]))
        w[name + ".bias"] = draw((LABELS,))
    return F.linear(pooled, w[name + ".weight"], w[name + ".bias"])


def divisible(config, value):
    value, by = int(round(value)), config["depth_divisible_by"]
    new = max(config["min_depth"], int(value + by / 2) // by * by)
    return new + by if new < 0.9 * value else new


def mobilenet(w, config, x, training=False):
    scaled = lambda c: divisible(config, c * config["depth_multiplier"])
    channels = [scaled(c) for c in (16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)]
    strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]

    def conv(name, x, to, kernel, stride=1, depthwise=False, act=F.relu6, dilation=1):
        def same(x):
            along = lambda size: max(kernel - (stride if size % stride == 0 else size % stride), 0)
            (v, h) = (along(x.shape[2]), along(x.shape[3]))
            return [d * dilation for d in (h // 2, h - h // 2, v // 2, v - v // 2)]

        return block(w, "mobilenet_v2." + name, x, to, kernel, stride, x.shape[1] if depthwise else 1,
                     config["layer_norm_eps"], act, training, same if config["tf_padding"] else None, dilation)

    x = conv("conv_stem.first_conv", x, scaled(32), 3, 2)
    if not config["first_layer_is_expansion"]:
        x = conv("conv_stem.expand_1x1", x, scaled(32), 1)
    x = conv("conv_stem.conv_3x3", x, scaled(32), 3, depthwise=True)
    x = conv("conv_stem.reduce_1x1", x, channels[0], 1, act=None)
    reached, following = 2, 1
    for i, wanted in enumerate(strides):
        if reached == config["output_stride"]:
            stride, dilation = 1, following
            following *= wanted
        else:
            stride, dilation = wanted, 1
            reached *= wanted
        p = f"layer.{i}."
        inner = divisible(config, channels[i] * config["expand_ratio"])
        y = conv(p + "expand_1x1", x, inner, 1)
        y = conv(p + "conv_3x3", y, inner, 3, stride, depthwise=True, dilation=dilation)
        y = conv(p + "reduce_1x1", y, channels[i + 1], 1, act=None)
        x = x + y if stride == 1 and channels[i] == channels[i + 1] else y
    fine = config["finegrained_output"] and config["depth_multiplier"] < 1
    x = conv("conv_1x1", x, 1280 if fine else scaled(1280), 1)
    return head(w, "classifier", x)


def case(network, config, pixels, labels, training):
    weights = {}
    with torch.no_grad():
        network(weights, config, pixels)
    TRACKED.clear()
    logits = network(weights, config, pixels, training)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    # Statistics move a tenth of the way: running = 0.9 · running + 0.1 · batch.
    moved = {n: dict(mean=numbers(m), variance=numbers(v)) for n, (m, v) in TRACKED.items()}
    return dict(config=config, training=training, logits=numbers(logits), loss=float(loss), weights=record(weights),
                moved=moved)


def main():
    labels = torch.tensor([2, 0, 1])
    pixels = draw((3, 3, 20, 17), 1.0).detach()
    shared = dict(pixels=numbers(pixels), shape=list(pixels.shape), classes=labels.tolist(), labels=LABELS)
    base = dict(model_type="resnet", num_channels=3, embedding_size=4, hidden_sizes=[4, 6], depths=[1, 2],
                layer_type="basic", hidden_act="relu", downsample_in_first_stage=False, downsample_in_bottleneck=False)
    bottleneck = dict(base, layer_type="bottleneck", hidden_sizes=[8, 12], depths=[2, 1])
    write("resnet", dict(**shared, cases=[
        case(resnet, base, pixels, labels, False),
        case(resnet, base, pixels, labels, True),
        case(resnet, bottleneck, pixels, labels, False),
        case(resnet, dict(bottleneck, downsample_in_bottleneck=True, downsample_in_first_stage=True), pixels, labels, True),
    ]))
    tiny = dict(model_type="mobilenet_v2", num_channels=3, depth_multiplier=0.02, depth_divisible_by=4, min_depth=4,
                expand_ratio=2, output_stride=32, first_layer_is_expansion=True, finegrained_output=False,
                hidden_act="relu6", tf_padding=True, classifier_dropout_prob=0.0, layer_norm_eps=0.001)
    write("mobilenet-v2", dict(**shared, cases=[
        case(mobilenet, tiny, pixels, labels, False),
        case(mobilenet, dict(tiny, tf_padding=False, output_stride=8, first_layer_is_expansion=False), pixels, labels, True),
    ]))


if __name__ == "__main__":
    main()
