"""Calls of huggingface_hub about what is known of repositories: cards, tags, configurations, lists, likes."""
import json
import struct

from calls import call, equal, raises
from huggingface_hub import CommitOperationAdd, ModelCard, ModelCardData, metadata_update
from huggingface_hub.errors import HfHubHTTPError
from hub_repositories import api, is_newest, user

repo = f"{user}/described"
card = b"---\nlicense: mit\nlibrary_name: transformers\npipeline_tag: text-classification\ntags:\n- %s\n---\n# Card\n"
header = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
cards = f"{user}/cards"
commits = []


@call("model_info")
def tells_what_the_card_and_the_files_say():
    api.create_repo(repo)
    files = {
        "README.md": card % user.encode(),
        "config.json": b'{"model_type": "bert", "architectures": ["BertModel"]}',
        "model.safetensors": struct.pack("<Q", len(header)) + header + bytes(24),
    }
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    commits.append(api.create_commit(repo, operations=operations, commit_message="All").oid)
    info = api.model_info(repo)
    equal((info.library_name, info.pipeline_tag), ("transformers", "text-classification"))
    assert {"license:mit", user} <= set(info.tags), info.tags
    equal((info.card_data["license"], info.config["model_type"]), ("mit", "bert"))
    equal((info.safetensors.total, info.safetensors.parameters), (6, {"F32": 6}))


@call("model_info")
def expands_only_what_was_asked_for():
    info = api.model_info(repo, expand=["sha", "likes", "downloads", "cardData", "createdAt", "lastModified"])
    equal((info.sha, info.likes, info.siblings, info.tags), (commits[0], 0, None, None))
    raises(HfHubHTTPError, api.model_info, repo, expand=["nonsense"], text="must be one of")


@call("dataset_info")
def tells_of_a_dataset():
    api.create_repo(f"{user}/data", repo_type="dataset")
    api.upload_file(
        path_or_fileobj=b"---\nlicense: mit\nlanguage: de\n---\n",
        path_in_repo="README.md",
        repo_id=f"{user}/data",
        repo_type="dataset",
    )
    info = api.dataset_info(f"{user}/data")
    assert {"license:mit", "language:de"} <= set(info.tags), info.tags


@call("space_info")
def tells_of_a_space():
    api.create_repo(f"{user}/app", repo_type="space", space_sdk="gradio")
    equal(api.space_info(f"{user}/app").sdk, "gradio")


@call("list_models")
def finds_models_by_author_words_and_tags():
    names = lambda **query: [model.id for model in api.list_models(author=user, **query)]
    assert repo in names()
    equal(names(search="DESCRIBED"), [repo])
    equal(names(filter=["transformers", user]), [repo])
    equal(names(pipeline_tag="text-classification", filter=user), [repo])
    equal(names(search="nothing-like-it"), [])


@call("list_models")
def pages_sorts_and_limits():
    every = [model.id for model in api.list_models(author=user, sort="lastModified" if is_newest else "last_modified")]
    equal(len(every), len(set(every)))
    equal(len(list(api.list_models(author=user, limit=2))), 2)
    for sort in ("downloads", "likes", "createdAt" if is_newest else "created_at"):
        equal(sorted(model.id for model in api.list_models(author=user, sort=sort)), sorted(every))


@call("list_models")
def lists_in_full_with_cards_and_configuration():
    [model] = api.list_models(author=user, search="described", full=True, cardData=True, fetch_config=True)
    equal((model.sha, model.card_data["license"]), (commits[0], "mit"))
    assert "config.json" in [file.rfilename for file in model.siblings]


@call("list_datasets")
def lists_datasets_of_an_author():
    equal([found.id for found in api.list_datasets(author=user, filter="language:de")], [f"{user}/data"])


@call("list_spaces")
def lists_spaces_of_an_author():
    assert f"{user}/app" in [found.id for found in api.list_spaces(author=user)]


@call("get_safetensors_metadata")
def reads_the_header_of_weights_alone():
    found = api.get_safetensors_metadata(repo)
    equal((found.parameter_count, list(found.weight_map)), ({"F32": 6}, ["w"]))


@call("list_repo_likers")
def lists_who_likes_it():
    equal(list(api.list_repo_likers(repo)), [])


@call("unlike")
def takes_a_like_back_that_was_never_given():
    api.unlike(repo)


@call("list_liked_repos")
def lists_what_somebody_likes():
    equal(api.list_liked_repos(user).total, 0)


# Older lines send what a card says to be checked to the big hub, wherever the endpoint is.
@call("ModelCard.push_to_hub", when=is_newest)
def writes_a_card():
    api.create_repo(cards, exist_ok=True)
    data = ModelCardData(license="mit", language="en", library_name="transformers", tags=["a"])
    ModelCard(f"---\n{data.to_yaml()}\n---\n# A model\n").push_to_hub(cards)
    equal(ModelCard.load(cards).data.tags, ["a"])


@call("ModelCard.load")
def reads_a_card_that_was_uploaded():
    api.create_repo(cards, exist_ok=True)
    upload_card(b"---\nlicense: mit\nlibrary_name: transformers\n---\n# A model\n")
    data = ModelCard.load(cards, ignore_metadata_errors=False).data
    equal((data.license, data.library_name), ("mit", "transformers"))


@call("metadata_update", when=is_newest)
def changes_the_front_matter_of_a_card():
    metadata_update(cards, {"license": "apache-2.0"}, overwrite=True)
    equal(ModelCard.load(cards).data.license, "apache-2.0")


@call("upload_file")
def tells_of_front_matter_that_is_none():
    before = api.repo_info(cards).sha
    raises((ValueError, HfHubHTTPError), upload_card, b"---\nlicense: [\n---\n")
    equal(api.repo_info(cards).sha, before)


def upload_card(content):
    return api.upload_file(path_or_fileobj=content, path_in_repo="README.md", repo_id=cards)
