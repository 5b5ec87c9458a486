"""What the steps assert with."""

import inspect
from itertools import islice

from databricks.sdk.core import DatabricksError


def same(what, found, expected):
    assert type(found) is type(expected) and found == expected, f"{what}: {found!r}, expected {expected!r}"


def all_of(pages, most=10):
    """A server that does not page gives the same page for ever."""
    found = list(islice(pages, most))
    assert len(found) < most, "the list has no end"
    return found


def refused(code, ask):
    try:
        answer = ask()
    except DatabricksError as error:
        same("error", error.error_code, code)
        return error
    raise AssertionError(f"{code} was expected, not {answer!r}")


def has(call, parameter):
    """Whether a call of this SDK takes this; where it does not, that is said, and tests/sdk.rs expects what is said."""
    if parameter in inspect.signature(call).parameters:
        return True
    print("lacks", call.__qualname__, parameter, flush=True)
    return False
