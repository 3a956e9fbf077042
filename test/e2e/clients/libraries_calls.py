"""Calls of transformers and of datasets, which read by a commit id and by branches."""
import json
import os
from pathlib import Path

from calls import call, equal, raises, request, run
from huggingface_hub import HfApi

api = HfApi()
user, model_folder = request["user"], Path(request["model"])
model, data = f"{user}/model", f"{user}/data"
commits = {}


@call("AutoConfig.from_pretrained", "at a commit, after the branch went on")
def _():
    from transformers import AutoConfig

    api.create_repo(model)
    names = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"]
    commits["model"] = api.upload_folder(repo_id=model, folder_path=model_folder, allow_patterns=names).oid
    changed = json.loads(Path(model_folder, "config.json").read_text()) | {"num_hidden_layers": 99}
    api.upload_file(path_or_fileobj=json.dumps(changed).encode(), path_in_repo="config.json", repo_id=model)
    pinned = AutoConfig.from_pretrained(model, revision=commits["model"])
    equal((pinned.model_type, pinned.num_hidden_layers), ("bert", 6))
    equal(AutoConfig.from_pretrained(model).num_hidden_layers, 99)


@call("AutoConfig.from_pretrained", "tells of a repository and a revision that are not there")
def _():
    from transformers import AutoConfig

    raises(OSError, AutoConfig.from_pretrained, f"{user}/none", text="is not a")
    raises(OSError, AutoConfig.from_pretrained, model, revision="none", text="not a valid git identifier")


@call("AutoTokenizer.from_pretrained", "at a commit")
def _():
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, revision=commits["model"])
    ids = tokenizer("holdfast")["input_ids"]
    equal(tokenizer.decode(ids, skip_special_tokens=True), "holdfast")


@call("push_to_hub", "of a configuration and a tokenizer")
def _():
    from transformers import AutoConfig, AutoTokenizer

    # Without a card, transformers makes one from a template, for which it needs one more package.
    api.create_repo(f"{user}/pushed")
    card = b"---\nlicense: mit\n---\n# Pushed\n"
    api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=f"{user}/pushed")
    AutoConfig.from_pretrained(model).push_to_hub(f"{user}/pushed")
    AutoTokenizer.from_pretrained(model).push_to_hub(f"{user}/pushed")
    equal(AutoConfig.from_pretrained(f"{user}/pushed").num_hidden_layers, 99)


@call("load_dataset", "at a commit, after the branch went on")
def _():
    from datasets import load_dataset

    api.create_repo(data, repo_type="dataset")
    rows = "".join(f'{{"n": {number}, "text": "row {number}"}}\n' for number in range(1000))
    upload = lambda content, path: api.upload_file(
        path_or_fileobj=content.encode(), path_in_repo=path, repo_id=data, repo_type="dataset"
    )
    upload(rows, "data/train.jsonl")
    commits["data"] = upload('{"n": 1, "text": "test"}\n', "data/test.jsonl").oid
    upload('{"n": 1, "text": "gone"}\n', "data/train.jsonl")
    found = load_dataset(data, revision=commits["data"])
    equal({name: split.num_rows for name, split in found.items()}, {"train": 1000, "test": 1})
    equal(found["train"][999]["text"], "row 999")
    equal(load_dataset(data, split="train").num_rows, 1)


@call("load_dataset(streaming=True)", "at a commit")
def _():
    from datasets import load_dataset

    rows = load_dataset(data, revision=commits["data"], split="train", streaming=True)
    equal([row["n"] for row in rows.skip(500).take(3)], [500, 501, 502])


@call("load_dataset", "Parquet, which lies in LFS, as its card configures it")
def _():
    from datasets import Dataset, load_dataset

    Dataset.from_dict({"n": list(range(5000))}).to_parquet("part.parquet")
    parquet = f"{user}/parquet"
    api.create_repo(parquet, repo_type="dataset")
    card = "---\nconfigs:\n- config_name: small\n  data_files:\n  - split: train\n    path: parts/*.parquet\n---\n"
    for content, path in {"part.parquet": "parts/0.parquet", card.encode(): "README.md"}.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=parquet, repo_type="dataset")
    os.remove("part.parquet")
    equal(load_dataset(parquet, "small", split="train").num_rows, 5000)
    streamed = load_dataset(parquet, "small", split="train", streaming=True)
    equal(sum(row["n"] for row in streamed), sum(range(5000)))


@call("Dataset.push_to_hub", "makes a dataset of tables")
def _():
    from datasets import Dataset, get_dataset_config_names, load_dataset

    Dataset.from_dict({"n": [1, 2, 3]}).push_to_hub(f"{user}/pushed-data")
    equal(load_dataset(f"{user}/pushed-data", split="train")["n"][:], [1, 2, 3])
    equal(get_dataset_config_names(f"{user}/pushed-data"), ["default"])


run()
