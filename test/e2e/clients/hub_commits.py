"""Calls of huggingface_hub that write: every file is read again, from the server and not from a cache."""
import hashlib
import io
import os
import tempfile
from pathlib import Path

from calls import call, equal, noise, raises
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError
from hub_repositories import api, is_newest, is_old, reader, stranger, user

repo = f"{user}/commits"


def read(path, revision=None, repo_id=repo):
    with tempfile.TemporaryDirectory() as folder:
        return Path(api.hf_hub_download(repo_id, path, revision=revision, local_dir=folder)).read_bytes()


def upload(content, path, **options):
    return api.upload_file(**{"path_or_fileobj": content, "path_in_repo": path, "repo_id": repo, **options})


def entry(path, revision=None, repo_id=repo):
    [found] = api.get_paths_info(repo_id, path, revision=revision)
    return found


def blob_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@call("upload_file")
def keeps_a_small_text_in_git():
    api.create_repo(repo)
    commit = upload(b"hello\n", "notes/hello.txt", commit_message="Say hello", commit_description="Twice.")
    equal(len(commit.oid), 40)
    equal(read("notes/hello.txt", commit.oid), b"hello\n")
    equal((entry("notes/hello.txt").blob_id, entry("notes/hello.txt").lfs), (blob_id(b"hello\n"), None))
    [latest, _] = api.list_repo_commits(repo)
    equal((latest.commit_id, latest.title, latest.message.strip()), (commit.oid, "Say hello", "Twice."))
    equal(latest.authors, [user])


@call("upload_file")
def keeps_weights_and_whatever_is_no_text_in_lfs():
    for path, content in {"model.safetensors": b"small", "image": noise(20_000)}.items():
        upload(content, path)
        equal(read(path), content)
        found = entry(path)
        equal((found.size, found.lfs.sha256, found.lfs.size), (len(content), hashlib.sha256(content).hexdigest(), len(content)))


@call("upload_file")
def takes_a_file_object_an_empty_file_and_a_path():
    upload(io.BytesIO(b"from memory"), "memory.txt")
    upload(b"", "empty.bin")
    with tempfile.NamedTemporaryFile() as file:
        file.write(noise(6_000_000, 1))
        file.flush()
        upload(file.name, "large.bin")
    equal((read("memory.txt"), read("empty.bin"), read("large.bin")), (b"from memory", b"", noise(6_000_000, 1)))


@call("upload_file")
def makes_no_commit_of_what_is_there():
    before = api.repo_info(repo).sha
    equal(upload(b"hello\n", "notes/hello.txt").oid, before)
    equal(upload(b"small", "model.safetensors").oid, before)
    equal(api.repo_info(repo).sha, before)


@call("upload_file")
def makes_a_new_commit_of_what_was_there_before():
    for content in (b"a", b"b", b"a"):
        upload(content, "back.txt")
        equal(read("back.txt"), content)


@call("upload_file")
def writes_to_a_branch_with_slashes():
    api.create_branch(repo, branch="feature/two")
    upload(b"aside", "aside.txt", revision="feature/two")
    equal(read("aside.txt", "feature/two"), b"aside")
    assert not api.file_exists(repo, "aside.txt")


@call("upload_file")
def takes_names_of_every_kind():
    for path in ("ordner/Äpfel und Öl.txt", "日本/語.json", "a b/c+d&e=f%20g#h?.txt", "-dash/'quote'.txt"):
        upload(path.encode(), path)
        equal(read(path), path.encode())
        assert path in api.list_repo_files(repo), path


@call("upload_file")
def refuses_paths_that_lead_out():
    before = api.repo_info(repo).sha
    for path in ("a/.git/config", "a//b.txt", "a/../../b.txt"):
        raises((HfHubHTTPError, ValueError), upload, b"x", path)
    equal(api.repo_info(repo).sha, before)


@call("upload_file")
def refuses_who_may_not_write():
    for somebody in (stranger, reader):
        error = raises(HfHubHTTPError, somebody.upload_file, path_or_fileobj=b"x", path_in_repo="x", repo_id=repo)
        equal(error.response.status_code, 403)
    raises(RepositoryNotFoundError, api.upload_file, path_or_fileobj=b"x", path_in_repo="x", repo_id=f"{user}/none")


@call("upload_folder")
def brings_a_folder_with_patterns_and_takes_what_is_gone():
    with tempfile.TemporaryDirectory() as folder:
        for path in ("a.txt", "skip.log", "deep/er/b.txt", "weights.bin"):
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_bytes(path.encode())
        options = {"repo_id": repo, "folder_path": folder, "path_in_repo": "folder"}
        api.upload_folder(**options, ignore_patterns="*.log")
        equal(listed("folder"), ["folder/a.txt", "folder/deep/er/b.txt", "folder/weights.bin"])
        os.remove(Path(folder, "a.txt"))
        api.upload_folder(**options, ignore_patterns="*.log", delete_patterns="*.txt")
        equal(listed("folder"), ["folder/deep/er/b.txt", "folder/weights.bin"])
        equal(read("folder/weights.bin"), b"weights.bin")


@call("upload_folder")
def brings_many_files_at_once():
    with tempfile.TemporaryDirectory() as folder:
        for number in range(300):
            Path(folder, f"{number}.json").write_text(f'{{"n": {number}}}')
        api.upload_folder(repo_id=repo, folder_path=folder, path_in_repo="many", commit_message="Many")
    equal(len(listed("many")), 300)
    equal(read("many/299.json"), b'{"n": 299}')


@call("upload_folder")
def heeds_gitignore():
    with tempfile.TemporaryDirectory() as folder:
        for path, content in {".gitignore": "*.secret\n", "x.secret": "s", "x.txt": "t"}.items():
            Path(folder, path).write_text(content)
        other = f"{user}/ignoring"
        api.create_repo(other)
        api.upload_folder(repo_id=other, folder_path=folder)
        equal(sorted(api.list_repo_files(other)), [".gitattributes", ".gitignore", "x.txt"])


@call("upload_large_folder", when=not is_newest)
def brings_a_folder_in_several_commits():
    with tempfile.TemporaryDirectory() as folder:
        for number in range(40):
            Path(folder, f"{number}.txt").write_text(f"{number}")
        for number in range(4):
            Path(folder, f"{number}.safetensors").write_bytes(noise(100_000, number))
        other = f"{user}/large-folder"
        api.upload_large_folder(other, folder, repo_type="model", num_workers=4, print_report=False)
        equal(len(api.list_repo_files(other)), 45)
        equal(read("3.safetensors", repo_id=other), noise(100_000, 3))


@call("preupload_lfs_files")
def brings_lfs_files_before_their_commit():
    operations = [CommitOperationAdd(f"ahead/{number}.bin", noise(50_000, number)) for number in range(3)]
    api.preupload_lfs_files(repo, operations)
    api.create_commit(repo, operations=operations, commit_message="Ahead")
    equal(read("ahead/2.bin"), noise(50_000, 2))


@call("create_commit")
def adds_deletes_and_copies_in_one_commit():
    before = api.repo_info(repo).sha
    operations = [
        CommitOperationAdd("one/new.txt", b"new"),
        CommitOperationDelete("memory.txt"),
        CommitOperationDelete("ahead/", is_folder=True),
        CommitOperationCopy("model.safetensors", "one/copy.safetensors"),
        CommitOperationCopy("large.bin", "one/older.bin", src_revision=before),
    ]
    # A small file that is not in LFS can be copied since 1.0 only: the client brings it.
    if not is_old:
        operations.append(CommitOperationCopy("notes/hello.txt", "one/hello.txt"))
    commit = api.create_commit(repo, operations=operations, commit_message="Everything")
    equal(commit.oid, api.repo_info(repo).sha)
    equal(read("one/new.txt") + read("one/copy.safetensors"), b"newsmall")
    equal(entry("one/older.bin").lfs.sha256, entry("large.bin").lfs.sha256)
    equal((api.file_exists(repo, "memory.txt"), listed("ahead")), (False, []))
    equal(len(api.list_repo_commits(repo)), len(api.list_repo_commits(repo, revision=before)) + 1)


@call("create_commit")
def holds_to_the_parent_that_was_named():
    stale = api.repo_info(repo).sha
    add = lambda path: [CommitOperationAdd(path, b"x")]
    api.create_commit(repo, operations=add("parent.txt"), commit_message="On it", parent_commit=stale)
    error = raises(
        HfHubHTTPError, api.create_commit, repo, operations=add("late.txt"), commit_message="Late", parent_commit=stale
    )
    equal(error.response.status_code, 412)
    assert not api.file_exists(repo, "late.txt")


# What lies in LFS is copied from one repository to another by its Xet hash alone.
@call("create_commit", when=is_newest)
def copies_a_text_from_another_repository():
    other = f"{user}/copies"
    api.create_repo(other)
    operation = CommitOperationCopy("notes/hello.txt", "copied.txt", src_repo_id=repo, src_repo_type="model")
    api.create_commit(other, operations=[operation], commit_message="Across")
    equal(read("copied.txt", repo_id=other), b"hello\n")


@call("copy_files", when=is_newest)
def copies_a_folder_to_another_repository():
    other = f"{user}/copied-folder"
    api.create_repo(other)
    api.copy_files(f"hf://{repo}/notes/", f"hf://{other}/here/")
    equal(read("here/hello.txt", repo_id=other), b"hello\n")


@call("delete_file")
def deletes_a_file_and_tells_of_one_that_is_not_there():
    api.delete_file("parent.txt", repo)
    assert not api.file_exists(repo, "parent.txt")
    raises(EntryNotFoundError, api.delete_file, "none.txt", repo)


@call("delete_files")
def deletes_by_pattern():
    api.delete_files(repo, ["many/1*.json"])
    equal(len([path for path in listed("many") if path.startswith("many/1")]), 0)
    equal(len(listed("many")), 300 - 111)


@call("delete_folder")
def deletes_a_folder():
    api.delete_folder("many", repo)
    equal(listed("many"), [])


@call("run_as_future")
def commits_of_several_threads_all_stand():
    futures = [upload(b"%d" % number, f"future/{number}.txt", run_as_future=True) for number in range(8)]
    uploads = [api.run_as_future(upload, b"%d" % number, f"thread/{number}.txt") for number in range(8)]
    for future in [*futures, *uploads]:
        future.result()
    equal((len(listed("future")), len(listed("thread"))), (8, 8))


def listed(folder):
    return sorted(path for path in api.list_repo_files(repo) if path.startswith(f"{folder}/"))
