"""Real PEFT's adapters, for test/peft.test.ts: python3 test/oracle/adapters.py writes fixtures/peft.json.

python3 test/oracle/adapters.py FOLDER: loads each adapter that test/oracle/models-out.ts wrote there, on Hugging Face's own
classes, and compares the answers. Written with peft 0.21.0, transformers 5.18.0, torch 2.13.0.

Every weight, of base and adapter, is seeded by its name (seeded.py): the fixture keeps names, shapes and answers only.
"""
import importlib.metadata
import json
import pathlib
import sys
import tempfile

import peft
import safetensors.torch
import torch
import transformers

from hugging_face_out import distance, opened
from seeded import FIXTURES, make_texts, numbers, packed, pad

CLASSES = {"classification": "AutoModelForSequenceClassification", "token-classification": "AutoModelForTokenClassification",
           "causal-lm": "AutoModelForCausalLM"}
BERT = dict(model_type="bert", vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=24, max_position_embeddings=16)
GPT2 = dict(model_type="gpt2", vocab_size=40, n_positions=16, n_embd=16, n_layer=2, n_head=2)
LLAMA = dict(model_type="llama", vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
             num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16, tie_word_embeddings=False)
CLASSIFY = dict(kind="classification", labels=3)
WRITE = dict(kind="causal-lm")

CASES = [
    ("bert, as PEFT chooses", BERT, CLASSIFY, dict(task_type="SEQ_CLS")),
    ("bert, all linear layers, pooler kept", BERT, CLASSIFY,
     dict(task_type="SEQ_CLS", target_modules="all-linear", modules_to_save=["pooler"])),
    ("bert, all linear layers", BERT, CLASSIFY, dict(task_type="SEQ_CLS", target_modules="all-linear")),
    ("bert, a name for each token", BERT, dict(kind="token-classification", labels=3),
     dict(task_type="TOKEN_CLS", target_modules=["query", "dense"])),
    ("gpt2, as PEFT chooses", GPT2, WRITE, dict(task_type="CAUSAL_LM")),
    ("gpt2, all linear layers", GPT2, WRITE, dict(task_type="CAUSAL_LM", target_modules="all-linear")),
    ("llama, as PEFT chooses", LLAMA, WRITE, dict(task_type="CAUSAL_LM")),
    ("llama, all linear layers, rank stabilised", LLAMA, WRITE,
     dict(task_type="CAUSAL_LM", target_modules="all-linear", use_rslora=True)),
    ("llama, the scores of words kept whole", LLAMA, WRITE, dict(task_type="CAUSAL_LM", modules_to_save=["lm_head"])),
    ("llama, a regular expression and one layer", LLAMA, WRITE,
     dict(task_type="CAUSAL_LM", target_modules=r".*\.layers\.1\..*(gate|o)_proj")),
    ("llama, ranks and alphas by layer", LLAMA, WRITE,
     dict(task_type="CAUSAL_LM", target_modules=["q_proj", "down_proj"], rank_pattern={"down_proj": 2},
          alpha_pattern={"layers.0.self_attn.q_proj": 9})),
]


def base_model(config, head):
    fields = dict(config)
    settings = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
    settings.num_labels = head.get("labels", 2)
    settings.pad_token_id = 0
    settings._attn_implementation = "eager"
    model = getattr(transformers, CLASSES[head["kind"]]).from_config(settings).double().eval()
    tied = getattr(settings, "tie_word_embeddings", False)
    for name, parameter in model.named_parameters():
        parameter.data = numbers(name, list(parameter.shape))
    if tied:
        model.tie_weights()
    return model


def answers(model, texts):
    ids, mask = pad(texts, 0)
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask).logits


def solve(name, config, head, options):
    settings = peft.LoraConfig(r=3, lora_alpha=7, **options)
    with tempfile.TemporaryDirectory() as folder:
        peft.get_peft_model(base_model(config, head), settings).save_pretrained(folder)
        path = pathlib.Path(folder) / "adapter_model.safetensors"
        weights = {key: numbers(key, list(tensor.shape)) for key, tensor in safetensors.torch.load_file(path).items()}
        safetensors.torch.save_file({key: tensor.float() for key, tensor in weights.items()}, path)
        written = json.loads((pathlib.Path(folder) / "adapter_config.json").read_text())
        model = peft.PeftModel.from_pretrained(base_model(config, head), folder).double().eval()
    texts = make_texts(config["vocab_size"], [7, 4])
    answer = answers(model, texts)
    written["target_modules"] = sorted(t) if isinstance(t := written["target_modules"], list) else t
    print(f"{name:44} {len(weights):3} tensors, answers up to {float(answer.abs().max()):.2f}")
    return dict(name=name, config=config, head=head, adapterConfig=written,
                tensors={key: list(weights[key].shape) for key in sorted(weights)},
                texts=texts, shape=list(answer.shape), answer=packed(answer))


def check(folder):
    """One that we wrote: base, adapter, and what we answered."""
    case = json.loads((folder / "answers.json").read_text())
    count = 1 if case["head"] == "regression" else case.get("labels")
    labels = {} if count is None else {"num_labels": count}
    settings = peft.PeftConfig.from_pretrained(folder / "adapter")
    unknown = set(json.loads((folder / "adapter" / "adapter_config.json").read_text())) - set(settings.to_dict())
    model = peft.PeftModel.from_pretrained(opened(folder / "base", case, **labels), folder / "adapter")
    error = distance(model, case)
    print(f"{folder.name:40} {error:.1e}", f"unknown keys: {unknown}" if unknown else "")
    return error < 1e-4 and not unknown


versions = {name: importlib.metadata.version(name) for name in ("peft", "transformers", "torch", "safetensors")}
print(versions)
torch.set_default_dtype(torch.float32 if len(sys.argv) > 1 else torch.float64)
if len(sys.argv) > 1:
    good = [check(folder) for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()) if (folder / "adapter").exists()]
    sys.exit(not all(good))
cases = [solve(*case) for case in CASES]
(FIXTURES / "peft.json").write_text(json.dumps(dict(versions=versions, cases=cases), separators=(",", ":")) + "\n")
print((FIXTURES / "peft.json").stat().st_size, "bytes")
