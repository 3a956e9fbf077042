"""Calls of huggingface_hub about accounts and about repositories as wholes."""
import hashlib
import os

import huggingface_hub
from calls import call, equal, raises, request
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

api = HfApi()
user, other, org = request["user"], request["other"], request["org"]
version = tuple(int(part) for part in huggingface_hub.__version__.split(".")[:2])
is_old = version < (1, 0)
is_newest = version >= (2, 0)
stranger = HfApi(token=other["token"])
reader = HfApi(token=request["readToken"])
nobody = HfApi(token=False)


@call("whoami")
def tells_who_holds_the_token():
    found = api.whoami()
    equal((found["name"], found["type"]), (user, "user"))
    assert org in [entry["name"] for entry in found["orgs"]], found


@call("whoami")
def tells_of_a_wrong_token():
    raises((HfHubHTTPError, OSError), HfApi(token="hf_" + "x" * 34).whoami, text="nvalid")


@call("get_token_permission", when=is_old)
def tells_what_the_token_may():
    equal(api.get_token_permission(), "write")


@call("create_repo")
def makes_a_model_that_begins_with_a_commit_of_its_attributes():
    url = api.create_repo(f"{user}/model")
    equal((url.repo_id, url.repo_type, url.endpoint), (f"{user}/model", "model", os.environ["HF_ENDPOINT"]))
    equal([commit.title for commit in api.list_repo_commits(url.repo_id)], ["initial commit"])
    equal(api.list_repo_files(url.repo_id), [".gitattributes"])


@call("create_repo")
def makes_a_dataset_and_a_space_of_the_same_name():
    equal(api.create_repo(f"{user}/model", repo_type="dataset").repo_type, "dataset")
    equal(api.create_repo(f"{user}/model", repo_type="space", space_sdk="gradio").repo_type, "space")


@call("create_repo")
def takes_a_name_without_an_owner():
    equal(api.create_repo("bare-name").repo_id, f"{user}/bare-name")


@call("create_repo")
def makes_one_in_an_organization():
    equal(api.create_repo(f"{org}/{user}-model").repo_id, f"{org}/{user}-model")


@call("create_repo")
def takes_one_that_exists_only_with_exist_ok():
    error = raises(HfHubHTTPError, api.create_repo, f"{user}/model")
    equal(error.response.status_code, 409)
    equal(api.create_repo(f"{user}/model", exist_ok=True).repo_id, f"{user}/model")


@call("create_repo")
def refuses_a_stranger_and_a_token_that_only_reads():
    equal(raises(HfHubHTTPError, stranger.create_repo, f"{user}/theirs").response.status_code, 403)
    equal(raises(HfHubHTTPError, reader.create_repo, f"{user}/read").response.status_code, 403)


@call("repo_exists")
def tells_what_is_there():
    assert api.repo_exists(f"{user}/model") and not api.repo_exists(f"{user}/none")
    assert not api.repo_exists(f"{user}/bare-name", repo_type="dataset")


@call("auth_check")
def lets_in_who_may_read():
    api.auth_check(f"{user}/model")
    nobody.auth_check(f"{user}/model")
    raises(RepositoryNotFoundError, api.auth_check, f"{user}/none")


@call("update_repo_settings")
def hides_a_repository_and_shows_it_again():
    repo = f"{user}/bare-name"
    api.update_repo_settings(repo, private=True)
    for hidden in (stranger, nobody):
        raises(RepositoryNotFoundError, hidden.auth_check, repo)
        raises(RepositoryNotFoundError, hidden.repo_info, repo)
        raises(RepositoryNotFoundError, hidden.list_repo_files, repo)
    assert api.repo_info(repo).private
    api.update_repo_settings(repo, private=False)
    assert not nobody.repo_info(repo).private


@call("update_repo_visibility", when=is_old)
def hides_a_repository():
    api.update_repo_visibility(f"{user}/bare-name", private=True)
    assert api.repo_info(f"{user}/bare-name").private
    api.update_repo_visibility(f"{user}/bare-name", private=False)


@call("create_branch")
def makes_branches_from_branches_and_commits():
    repo = f"{user}/model"
    api.create_branch(repo, branch="feature/one")
    api.create_branch(repo, branch="from-commit", revision=api.repo_info(repo).sha)
    equal(raises(HfHubHTTPError, api.create_branch, repo, branch="feature/one").response.status_code, 409)
    api.create_branch(repo, branch="feature/one", exist_ok=True)
    raises(RevisionNotFoundError, api.create_branch, repo, branch="x", revision="none")
    equal(raises(BadRequestError, api.create_branch, repo, branch="a..b").response.status_code, 400)


@call("delete_branch")
def deletes_branches_but_not_the_first():
    repo = f"{user}/model"
    api.delete_branch(repo, branch="from-commit")
    raises(HfHubHTTPError, api.delete_branch, repo, branch="from-commit")
    raises(HfHubHTTPError, api.delete_branch, repo, branch="main", text="Cannot delete refs/heads/main")


@call("create_tag")
def makes_tags_with_and_without_a_message():
    repo = f"{user}/model"
    api.create_tag(repo, tag="v1", tag_message="The first")
    api.create_tag(repo, tag="v1-light", revision="feature/one")
    equal(raises(HfHubHTTPError, api.create_tag, repo, tag="v1").response.status_code, 409)
    api.create_tag(repo, tag="v1", exist_ok=True)
    raises(RevisionNotFoundError, api.create_tag, repo, tag="v2", revision="none")


@call("list_repo_refs")
def lists_branches_and_tags_with_their_commits():
    repo = f"{user}/model"
    refs, commit_id = api.list_repo_refs(repo), api.repo_info(repo).sha
    equal({ref.name: ref.target_commit for ref in refs.branches}, {"main": commit_id, "feature/one": commit_id})
    equal(sorted((ref.name, ref.ref) for ref in refs.tags), [("v1", "refs/tags/v1"), ("v1-light", "refs/tags/v1-light")])
    equal((refs.converts, api.list_repo_refs(repo, include_pull_requests=True).pull_requests), ([], []))
    equal(api.repo_info(repo, revision="v1").sha, commit_id)


@call("delete_tag")
def deletes_a_tag():
    repo = f"{user}/model"
    api.delete_tag(repo, tag="v1-light")
    equal([ref.name for ref in api.list_repo_refs(repo).tags], ["v1"])
    raises(RevisionNotFoundError, api.delete_tag, repo, tag="v1-light")


@call("revision_exists")
def knows_branches_tags_and_commits():
    repo = f"{user}/model"
    for revision in ("main", "feature/one", "v1", api.repo_info(repo).sha, "refs/heads/main"):
        assert api.revision_exists(repo, revision), revision
    assert not api.revision_exists(repo, "none")


@call("move_repo")
def moves_a_repository_and_redirects_from_its_old_name():
    old, new = f"{user}/before", f"{org}/{user}-after"
    api.create_repo(old)
    commit_id = api.upload_file(path_or_fileobj=b"moved", path_in_repo="a.txt", repo_id=old).oid
    api.move_repo(old, new)
    equal((api.repo_info(new).sha, api.repo_info(old).id), (commit_id, new))
    for repo in (old, new):
        with open(api.hf_hub_download(repo, "a.txt", revision=commit_id)) as file:
            equal(file.read(), "moved")
    api.upload_file(path_or_fileobj=b"again", path_in_repo="b.txt", repo_id=new)


@call("move_repo")
def refuses_a_name_that_is_taken():
    raises(HfHubHTTPError, api.move_repo, f"{user}/bare-name", f"{user}/model", text="already exists")


@call("duplicate_repo", when=not is_old)
def makes_a_repository_with_the_same_history():
    source, copy = f"{user}/source", f"{user}/copy"
    api.create_repo(source)
    api.upload_file(path_or_fileobj=b"x" * 100, path_in_repo="weights.bin", repo_id=source)
    equal(api.duplicate_repo(source, copy).repo_id, copy)
    equal(api.repo_info(copy).sha, api.repo_info(source).sha)
    with open(api.hf_hub_download(copy, "weights.bin"), "rb") as file:
        equal(hashlib.sha256(file.read()).hexdigest(), hashlib.sha256(b"x" * 100).hexdigest())


@call("super_squash_history")
def makes_one_commit_of_a_branch():
    repo = f"{user}/squashed"
    api.create_repo(repo)
    for number in range(3):
        api.upload_file(path_or_fileobj=b"%d" % number, path_in_repo="n.txt", repo_id=repo)
    equal(len(api.list_repo_commits(repo)), 4)
    api.super_squash_history(repo, commit_message="All of it")
    equal([commit.title for commit in api.list_repo_commits(repo)], ["All of it"])
    with open(api.hf_hub_download(repo, "n.txt")) as file:
        equal(file.read(), "2")


@call("list_lfs_files")
def lists_what_lies_in_lfs():
    repo = f"{user}/with-lfs"
    api.create_repo(repo)
    api.upload_file(path_or_fileobj=b"weights" * 10, path_in_repo="a.safetensors", repo_id=repo)
    [file] = api.list_lfs_files(repo)
    equal((file.filename, file.size, file.oid), ("a.safetensors", 70, hashlib.sha256(b"weights" * 10).hexdigest()))


# History is not rewritten here: only what nothing points to can be deleted.
@call("permanently_delete_lfs_files (refused while history points to it)")
def refuses_what_the_history_needs():
    repo = f"{user}/with-lfs"
    files = list(api.list_lfs_files(repo))
    raises(HfHubHTTPError, api.permanently_delete_lfs_files, repo, files, text="still point")
    equal(len(list(api.list_lfs_files(repo))), 1)


@call("get_user_overview")
def counts_what_a_user_has():
    found = api.get_user_overview(user)
    equal((found.username, found.user_type), (user, "user"))
    assert found.num_models >= 1 and found.num_datasets == 1, found
    raises(HfHubHTTPError, api.get_user_overview, "nobody-at-all")


@call("get_organization_overview")
def tells_of_an_organization():
    equal(api.get_organization_overview(org).name, org)


@call("delete_repo")
def deletes_a_repository_for_good():
    repo = f"{user}/model"
    raises(HfHubHTTPError, stranger.delete_repo, repo)
    api.delete_repo(repo, repo_type="dataset")
    assert not api.repo_exists(repo, repo_type="dataset") and api.repo_exists(repo, repo_type="space")
    raises(RepositoryNotFoundError, api.delete_repo, repo, repo_type="dataset")
    api.delete_repo(repo, repo_type="dataset", missing_ok=True)


@call("get_repo_discussions")
def tells_that_there_are_no_discussions_yet():
    raises(HfHubHTTPError, lambda: list(api.get_repo_discussions(f"{user}/model")), text="iscussions")


@call("create_commit(create_pr=True)")
def tells_that_there_are_no_pull_requests_yet():
    upload = {"path_or_fileobj": b"x", "path_in_repo": "pr.txt", "repo_id": f"{user}/model", "create_pr": True}
    raises(HfHubHTTPError, api.upload_file, **upload, text="ull request")
    assert not api.file_exists(f"{user}/model", "pr.txt")
