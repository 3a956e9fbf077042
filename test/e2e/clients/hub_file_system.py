"""Calls of HfFileSystem, the fsspec face of huggingface_hub."""
from calls import call, equal, noise, raises
from huggingface_hub import HfFileSystem
from hub_repositories import api, user

files = HfFileSystem()
repo = f"{user}/files"
large = noise(3_000_000, 5)


@call("HfFileSystem.open")
def writes_files():
    api.create_repo(repo)
    with files.open(f"{repo}/folder/text.txt", "w") as file:
        file.write("first\nsecond\n")
    with files.open(f"{repo}/large.bin", "wb") as file:
        for start in range(0, len(large), 700_000):
            file.write(large[start : start + 700_000])
    equal(api.get_paths_info(repo, "large.bin")[0].size, len(large))


@call("HfFileSystem.open")
def reads_from_any_place():
    with files.open(f"{repo}/large.bin", "rb", block_size=100_000) as file:
        file.seek(2_000_000)
        equal(file.read(1000), large[2_000_000:2_001_000])
        file.seek(-10, 2)
        equal(file.read(), large[-10:])
        file.seek(0)
        equal(file.read(), large)
    with files.open(f"{repo}/folder/text.txt", "r") as file:
        equal(file.readlines(), ["first\n", "second\n"])


@call("HfFileSystem.ls")
def lists_a_folder():
    equal(sorted(files.ls(repo, detail=False)), [f"{repo}/{name}" for name in (".gitattributes", "folder", "large.bin")])
    [entry] = files.ls(f"{repo}/folder", refresh=True)
    equal((entry["type"], entry["size"]), ("file", 13))
    raises(FileNotFoundError, files.ls, f"{repo}/none")


@call("HfFileSystem.info")
def tells_of_a_file_and_its_last_commit():
    info = files.info(f"{repo}/large.bin", expand_info=True)
    equal((info["size"], info["lfs"]["size"]), (len(large), len(large)))
    assert info["last_commit"].oid
    assert files.exists(f"{repo}/large.bin") and not files.exists(f"{repo}/none") and files.isdir(f"{repo}/folder")


@call("HfFileSystem.glob")
def finds_by_pattern():
    equal(files.glob(f"{repo}/**/*.txt"), [f"{repo}/folder/text.txt"])
    equal(files.glob(f"{repo}/*.bin"), [f"{repo}/large.bin"])


@call("HfFileSystem.find")
def finds_all_below():
    equal(len(files.find(repo)), 3)


@call("HfFileSystem.cp_file")
def copies_a_file():
    files.cp_file(f"{repo}/large.bin", f"{repo}/copy/large.bin")
    equal(files.cat_file(f"{repo}/copy/large.bin", start=10, end=20), large[10:20])


@call("HfFileSystem.get_file")
def brings_a_file_to_the_disk():
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        files.get_file(f"{repo}/large.bin", f"{folder}/large.bin")
        equal(Path(folder, "large.bin").read_bytes(), large)


@call("HfFileSystem.open")
def reads_at_a_revision():
    commit_id = api.list_repo_commits(repo)[-2].commit_id
    equal(files.read_text(f"{repo}@{commit_id}/folder/text.txt"), "first\nsecond\n")
    api.create_branch(repo, branch="a/b", revision=commit_id)
    equal(files.read_text(f"{repo}/folder/text.txt", revision="a/b"), "first\nsecond\n")


@call("HfFileSystem.rm")
def deletes_files_and_folders():
    files.rm(f"{repo}/large.bin")
    files.rm(f"{repo}/copy", recursive=True)
    equal(sorted(api.list_repo_files(repo)), [".gitattributes", "folder/text.txt"])


@call("HfFileSystem.modified")
def tells_when_a_file_changed():
    assert files.modified(f"{repo}/folder/text.txt").year >= 2024
