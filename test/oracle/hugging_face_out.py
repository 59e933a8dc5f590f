"""Opens what test/oracle/models-out.ts wrote in Hugging Face's own classes: python3 test/oracle/hugging_face_out.py FOLDER

Each folder must load without a missing or unexpected weight and give our answers to 1e-4. Run with transformers 5.18.0.
"""
import json
import pathlib
import sys

import torch
import transformers

from seeded import pad

CLASSES = {"classification": "AutoModelForSequenceClassification", "regression": "AutoModelForSequenceClassification",
           "token-classification": "AutoModelForTokenClassification", "masked-lm": "AutoModelForMaskedLM",
           "causal-lm": "AutoModelForCausalLM", "contrast": "CLIPModel"}
ABSENT = ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs")


def answers(model, case):
    with torch.no_grad():
        if case["head"] == "contrast":
            ids, mask = pad(case["texts"], case["padId"])
            pixels = torch.tensor(case["pixels"], dtype=torch.float64).reshape(case["pixelShape"])
            return model(input_ids=ids, attention_mask=mask, pixel_values=pixels).logits_per_text
        if "pixels" in case:
            return model(pixel_values=torch.tensor(case["pixels"], dtype=torch.float64).reshape(case["pixelShape"])).logits
        ids, mask = pad(case["texts"], case["padId"])
        answer = model(input_ids=ids, attention_mask=mask).logits
    if answer.dim() == 3:
        answer = torch.cat([row[:len(text)] for row, text in zip(answer, case["texts"])])
    return answer


def opened(path, case, **options):
    name = CLASSES.get(case["head"]) if "pixels" not in case or case["head"] == "contrast" else "AutoModelForImageClassification"
    return getattr(transformers, name).from_pretrained(path, attn_implementation="eager", **options)


def distance(model, case):
    ours = torch.tensor(case["answer"], dtype=torch.float64)
    return float((answers(model.double().eval(), case).flatten() - ours).abs().max() / ours.abs().max())


def check(folder):
    case = json.loads((folder / "answers.json").read_text())
    model, told = opened(folder / "model", case, output_loading_info=True)
    complaints = {key: sorted(map(str, told[key])) for key in ABSENT if told[key]}
    named = model.config.architectures == [type(model).__name__]
    error = distance(model, case)
    print(f"{type(model).__name__:40} {folder.name:40} {error:.1e}", complaints or "", "" if named else model.config.architectures)
    return error < 1e-4 and not complaints and named


if __name__ == "__main__":
    torch.set_default_dtype(torch.float32)
    print("transformers", transformers.__version__, "torch", torch.__version__)
    good = [check(folder) for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()) if (folder / "model").exists()]
    print(sum(good), "of", len(good))
    sys.exit(not all(good))
