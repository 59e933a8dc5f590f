"""Checks the fixtures against Hugging Face's own classes, where `transformers` is at hand: python3 test/oracle/hugging_face.py

The classes get the same seeded weights by name; answers, losses and gradients must agree with the fixtures to 2e-6
(rotary angles are float32 there).
"""
import base64
import json
import sys

import torch
import transformers

from seeded import FIXTURES, loss_of, numbers, pad

AUTO = {
    "classification": "AutoModelForSequenceClassification", "regression": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification", "masked-lm": "AutoModelForMaskedLM",
    "causal-lm": "AutoModelForCausalLM", "embedding": "AutoModel",
}

TOLERANCE = 2e-6


def unpack(data):
    return torch.frombuffer(bytearray(base64.b64decode(data)), dtype=torch.float32).double()


def check(case):
    head = case["head"]
    fields = dict(case["config"])
    config = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
    config.num_labels = head.get("labels") or head.get("targets") or 2
    config.pad_token_id = case["padId"]
    config._attn_implementation = "eager"
    model = getattr(transformers, AUTO[head["kind"]]).from_config(config).double().eval()
    parameters = dict(model.named_parameters())
    prefix = model.base_model_prefix + "."
    weights = {}
    for name in case["gradients"]:
        found = name if name in parameters else name.removeprefix(prefix)
        weights[name] = parameters.pop(found)
        assert list(weights[name].shape) == case["gradients"][name]["shape"], name
        weights[name].data = numbers(name, weights[name].shape)
    unused = [name for name in parameters if "pooler" not in name and "embeddings.mask" not in name]
    ids, mask = pad(case["texts"], case["padId"])
    if "sliding_window" in case["config"]:
        # The library's padding sees nothing within its window, and answers NaN: each text goes alone.
        alone = [model(input_ids=row[seen.bool()][None]).logits[0] for row, seen in zip(ids, mask)]
        answer = torch.nn.utils.rnn.pad_sequence(alone, batch_first=True) if alone[0].dim() == 2 else torch.stack(alone)
    elif head["kind"] == "embedding":
        output = model(input_ids=ids, attention_mask=mask)
        answer = (output.last_hidden_state * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    else:
        answer = model(input_ids=ids, attention_mask=mask).logits
    loss = loss_of(head, answer, case["targets"])
    loss.backward()
    worst = 0.0
    truth = unpack(case["answer"]).reshape(case["shape"])
    # Padding's own answers mean nothing, and the libraries differ in them.
    own = mask.bool() if answer.dim() == 3 else slice(None)
    pairs = [("answer", answer[own], truth[own]), ("loss", loss, torch.tensor(case["loss"]))]
    for name, parameter in weights.items():
        gradient = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
        pairs.append((name, gradient.flatten(), unpack(case["gradients"][name]["data"])))
    for name, theirs, ours in pairs:
        # A bias that softmax does not see has no gradient but rounding.
        error = float((theirs - ours).detach().abs().max()) / max(float(ours.abs().max()), 1e-9)
        worst = error if not error <= worst else worst
        if not error <= TOLERANCE:
            print("  differs:", case["name"], name, error)
    print(f"{type(model).__name__:40} {case['name']:36} {worst:.1e}", f"unused: {unused}" if unused else "")
    return worst <= TOLERANCE and not unused


torch.set_grad_enabled(True)
print("transformers", transformers.__version__, "torch", torch.__version__)
failed = 0
for file in sys.argv[1:] or ["encoders.json", "gpt2.json", "llama.json"]:
    for case in json.loads((FIXTURES / file).read_text())["cases"]:
        failed += not check(case)
sys.exit(failed)
