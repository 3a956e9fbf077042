"""Named calls of a client, run one after the other. What came of each is told as a line of JSON on standard output."""
import functools
import json
import os
import sys
import traceback

_cases = []
# What clients print goes to standard error: standard output is for what came of the calls.
_results = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

request = json.load(sys.stdin)


def call(name, case="", when=True):
    """Notes a function as a case of the client's call `name`, unless this line of the client has no such call."""

    def note(function):
        if when:
            _cases.append((name, case or function.__name__.replace("_", " "), function))
        return function

    return note


def run():
    """Runs every case, in the order in which they are written, whatever became of those before."""
    for name, case, function in _cases:
        error = None
        try:
            function()
        except Exception:
            error = traceback.format_exc()
        print(json.dumps({"call": name, "case": case, "error": error}), file=_results, flush=True)


def equal(found, wanted):
    assert found == wanted, f"found {found!r}, wanted {wanted!r}"


def raises(kind, function, *args, text="", **options):
    """The error of the kind `kind` that the call ends in, with `text` in what it says."""
    try:
        found = function(*args, **options)
    except kind as error:
        assert text in str(error), f"{text!r} is not in {str(error)!r}"
        return error
    raise AssertionError(f"no {kind.__name__}, but {found!r}")


@functools.cache
def noise(size, seed=0):
    """Bytes that are no text, always the same."""
    import random

    return random.Random(seed).randbytes(size)
