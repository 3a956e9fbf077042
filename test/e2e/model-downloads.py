"""Errs in the ways huggingface_hub knows, then downloads a file and the whole snapshot; tells what came of it as JSON."""
import json
import sys

from huggingface_hub import hf_hub_download, snapshot_download

request = json.load(sys.stdin)
repo, revision, path = request["repo"], request["revision"], request["path"]


def error_of(download, *args, **options):
    try:
        return download(*args, **options)
    except Exception as error:
        return type(error).__name__


# First, while the cache holds nothing that could stand in for an answer.
errors = {
    "no token": error_of(hf_hub_download, repo, path, revision=revision, token=False),
    "no token, snapshot": error_of(snapshot_download, repo, revision=revision, token=False),
    "no repository": error_of(hf_hub_download, repo + "-not", path, revision=revision),
    "no commit": error_of(hf_hub_download, repo, path, revision="0" * 40),
    "no commit, snapshot": error_of(snapshot_download, repo, revision="0" * 40),
    "no branch": error_of(hf_hub_download, repo, path, revision="none"),
    "no file": error_of(hf_hub_download, repo, "none.bin", revision=revision),
}
file = hf_hub_download(repo, path, revision=revision)
json.dump({"errors": errors, "file": file, "snapshot": snapshot_download(repo, revision=revision)}, sys.stdout)
