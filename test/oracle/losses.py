"""Writes fixtures/losses.json: losses and their gradients by PyTorch's own functions, in double precision, as an independent truth.

Run with a Python that has PyTorch: python3 test/oracle/losses.py
Classes: torch.nn.CrossEntropyLoss with weight and label_smoothing. Pairs: cross_entropy over the rows and the columns of
similarities, of which only those that count are kept, so no mask of ours takes part.
"""
import torch
import torch.nn.functional as F

from tiny import draw, numbers, write

torch.manual_seed(41)


def classes(weight, smoothing):
    logits, labels = draw((5, 4), 1.5), torch.tensor([2, 0, 3, 3, 1])
    chosen = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    loss = torch.nn.CrossEntropyLoss(weight=chosen, label_smoothing=smoothing)(logits, labels)
    loss.backward()
    return dict(logits=numbers(logits), labels=labels.tolist(), weight=weight, smoothing=smoothing, loss=float(loss),
                gradient=numbers(logits.grad))


def balanced(labels, count):
    """Each class as much as any other, as scikit-learn's class_weight="balanced": examples ÷ (classes · of the class)."""
    return [len(labels) / (count * labels.count(c)) for c in range(count)]


def pairs(rows, pictures):
    """rows: a square of similarities; only the first len(pictures) are pairs. Equal numbers are the same picture."""
    similarities = draw((rows, rows), 2.0)
    count = len(pictures)
    loss = 0
    for i in range(count):
        others = [i] + [j for j in range(count) if j != i and pictures[j] != pictures[i]]
        first = torch.tensor([0])
        loss = loss + F.cross_entropy(similarities[i, others][None], first) / 2
        loss = loss + F.cross_entropy(similarities[others, i][None], first) / 2
    loss = loss / count
    loss.backward()
    return dict(similarities=numbers(similarities), rows=rows, pictures=pictures, loss=float(loss),
                gradient=numbers(similarities.grad))


def main():
    seen = [2, 0, 3, 3, 1, 3, 2, 2, 3, 0]
    write("losses", dict(
        classes=[classes(None, 0.0), classes(None, 0.1), classes([0.5, 2.0, 1.0, 3.0], 0.0),
                 classes([0.5, 2.0, 1.0, 3.0], 0.2), classes(balanced(seen, 4), 0.1)],
        seen=seen,
        pairs=[pairs(4, [0, 1, 2, 3]), pairs(5, [0, 1, 0, 2]), pairs(3, [0])],
    ))


main()
