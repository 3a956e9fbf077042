"""Calls of huggingface_hub that read: what there is, at which commit, and the bytes."""
import hashlib
import tempfile
from pathlib import Path

from calls import call, equal, noise, raises
from huggingface_hub import hf_hub_download, hf_hub_url, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile, RepoFolder
from hub_commits import blob_id
from hub_repositories import api, is_newest, is_old, nobody, user

repo = f"{user}/reading"
config = b'{"model_type": "bert", "architectures": ["BertModel"]}'
weights = bytes(noise(300_000, 7))
commits = []


@call("repo_info")
def tells_of_a_repository_at_every_commit():
    api.create_repo(repo)
    files = {
        "config.json": config,
        "deep/er/weights.bin": weights,
        "deep/notes.txt": b"notes",
    }
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_bytes(content)
        commits.append(api.upload_folder(repo_id=repo, folder_path=folder, commit_message="All").oid)
    commits.append(api.upload_file(path_or_fileobj=b"changed", path_in_repo="deep/notes.txt", repo_id=repo).oid)
    api.create_tag(repo, tag="release/1.0", revision=commits[0])
    info = api.repo_info(repo)
    equal((info.id, info.sha, info.author, info.private), (repo, commits[1], user, False))
    equal(sorted(file.rfilename for file in info.siblings), sorted([".gitattributes", *files]))
    for revision in (commits[0], commits[0][:8], "release/1.0", "refs/tags/release/1.0"):
        equal(api.repo_info(repo, revision=revision).sha, commits[0])


@call("model_info")
def tells_sizes_and_ids_of_files():
    files = {file.rfilename: file for file in api.model_info(repo, files_metadata=True).siblings}
    equal((files["config.json"].size, files["config.json"].blob_id), (len(config), blob_id(config)))
    lfs = files["deep/er/weights.bin"].lfs
    equal((lfs.size, lfs.sha256), (len(weights), hashlib.sha256(weights).hexdigest()))


@call("list_repo_tree")
def lists_a_folder_and_all_below():
    top = {entry.path: entry for entry in api.list_repo_tree(repo)}
    assert isinstance(top["deep"], RepoFolder) and isinstance(top["config.json"], RepoFile)
    equal([entry.path for entry in api.list_repo_tree(repo, "deep")], ["deep/er", "deep/notes.txt"])
    below = [entry.path for entry in api.list_repo_tree(repo, "deep", recursive=True)]
    equal(sorted(below), ["deep/er", "deep/er/weights.bin", "deep/notes.txt"])
    raises(EntryNotFoundError, lambda: list(api.list_repo_tree(repo, "none")))
    raises(RevisionNotFoundError, lambda: list(api.list_repo_tree(repo, revision="none")))


@call("list_repo_tree")
def tells_the_last_commit_of_every_entry():
    found = {entry.path: entry for entry in api.list_repo_tree(repo, "deep", expand=True)}
    equal(found["deep/notes.txt"].last_commit.oid, commits[1])
    equal(found["deep/er"].last_commit.oid, commits[0])


@call("get_paths_info")
def tells_of_paths_and_leaves_out_what_is_not_there():
    found = api.get_paths_info(repo, ["deep", "deep/er/weights.bin", "none"], revision=commits[0], expand=True)
    equal(sorted(entry.path for entry in found), ["deep", "deep/er/weights.bin"])


@call("list_repo_files")
def lists_files_at_a_commit():
    equal(len(api.list_repo_files(repo, revision=commits[0])), 4)
    raises(RepositoryNotFoundError, api.list_repo_files, f"{user}/none")


@call("list_repo_commits")
def lists_the_history_of_a_revision():
    equal([commit.commit_id for commit in api.list_repo_commits(repo)][:2], commits[::-1])
    equal(api.list_repo_commits(repo, revision="release/1.0")[0].commit_id, commits[0])
    assert api.list_repo_commits(repo, formatted=True)[0].formatted_title


@call("file_exists")
def tells_whether_a_file_is_there():
    assert api.file_exists(repo, "deep/notes.txt", revision=commits[0])
    assert not api.file_exists(repo, "deep/none.txt") and not api.file_exists(f"{user}/none", "a")


@call("get_hf_file_metadata")
def tells_id_size_and_commit_of_a_file():
    found = api.get_hf_file_metadata(url=hf_hub_url(repo, "config.json", revision="main"))
    equal((found.commit_hash, found.etag, found.size), (commits[1], blob_id(config), len(config)))
    found = api.get_hf_file_metadata(url=hf_hub_url(repo, "deep/er/weights.bin", revision=commits[0]))
    equal((found.etag, found.size), (hashlib.sha256(weights).hexdigest(), len(weights)))


@call("hf_hub_download")
def brings_a_file_at_every_kind_of_revision():
    for revision in (commits[0], commits[0][:10], "release/1.0"):
        equal(Path(hf_hub_download(repo, "deep/notes.txt", revision=revision)).read_bytes(), b"notes")
    path = Path(hf_hub_download(repo, "deep/notes.txt"))
    equal((path.read_bytes(), commits[1] in str(path)), (b"changed", True))
    equal(Path(nobody.hf_hub_download(repo, "deep/er/weights.bin")).read_bytes(), weights)


@call("hf_hub_download")
def goes_on_where_a_download_broke_off():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(hf_hub_download(repo, "deep/er/weights.bin", cache_dir=folder))
        blob = path.resolve()
        blob.rename(f"{blob}.incomplete")
        with open(f"{blob}.incomplete", "r+b") as file:
            file.truncate(100_000)
        path.unlink()
        equal(Path(hf_hub_download(repo, "deep/er/weights.bin", cache_dir=folder)).read_bytes(), weights)


@call("hf_hub_download")
def tells_what_is_missing():
    raises(RepositoryNotFoundError, hf_hub_download, f"{user}/none", "a")
    raises(RevisionNotFoundError, hf_hub_download, repo, "config.json", revision="0" * 40)
    raises(EntryNotFoundError, hf_hub_download, repo, "none.json", revision=commits[0])


@call("snapshot_download")
def brings_a_snapshot_pinned_to_a_commit():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(snapshot_download(repo, revision=commits[0], cache_dir=folder))
        equal((path.name, (path / "deep/notes.txt").read_bytes()), (commits[0], b"notes"))
        equal((path / "deep/er/weights.bin").read_bytes(), weights)
        local = snapshot_download(repo, allow_patterns=["*.json", "deep/*.txt"], local_dir=f"{folder}/local")
        kept = [file for file in Path(local).rglob("*") if file.is_file() and ".cache" not in file.parts]
        equal(sorted(file.name for file in kept), ["config.json", "notes.txt"])


@call("verify_repo_checksums", when=not is_old)
def finds_every_downloaded_byte_right():
    snapshot_download(repo, revision=commits[1])
    found = api.verify_repo_checksums(repo, revision=commits[1])
    equal((found.checked_count, list(found.mismatches), list(found.missing_paths)), (4, [], []))


@call("resolve_revision", when=is_newest)
def resolves_a_branch_to_its_commit():
    equal(api.resolve_revision(repo, revision="main").resolved, commits[1])
