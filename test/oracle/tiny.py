"""What the oracles of image models share: random weights that a float32 holds exactly, and the fixture's form."""
import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)


def draw(shape, scale=0.3, start=0.0):
    """Exactly what a float32 holds, so that both sides start from the same numbers."""
    return (start + torch.randn(shape) * scale).float().double().requires_grad_(True)


def numbers(tensor, digits=7):
    return [float(f"{v:.{digits}g}") for v in tensor.detach().flatten().tolist()]


def record(weights):
    """Shapes, values and gradients by name; a weight without a gradient (a running statistic) has none."""
    return {
        name: dict(shape=list(w.shape), data=numbers(w, 9), **({} if w.grad is None else dict(gradient=numbers(w.grad))))
        for name, w in weights.items()
    }


def write(name, fixture):
    path = pathlib.Path(__file__).parent / "fixtures" / f"{name}.json"
    path.write_text(json.dumps(dict(torch=torch.__version__, **fixture), separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")
