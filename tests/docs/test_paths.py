"""Every operation without a numba path has a reason, and no reason outlives its operations."""
import re
from types import SimpleNamespace

import pytest

from docs import paths
from hopref.dispatch.operation import load


def test_every_operation_without_a_path_has_one_reason_and_no_entry_is_stale():
    found = paths.gaps(load(), paths.groups())
    assert not found, "\n".join(found)


def test_the_page_lists_every_operation_with_its_path_or_the_label_of_a_reason():
    text = paths.page()
    rows = re.findall(r"<hopref\.(\S+)>` \| yes \| (.+) \| (.*) \|$", text, re.M)
    assert {name for name, _, _ in rows} == load().keys()
    for name, numba, cupy in rows:
        assert (numba == "**yes**") == ("numba" in load()[name].paths)
        assert numba == "**yes**" or f"**{numba}** (" in text
        assert (cupy == "**yes**") == ("cupy" in load()[name].paths)


OPS = {"a.one": SimpleNamespace(paths=("formula",)), "a.b.two": SimpleNamespace(paths=("formula",)),
       "a.fast": SimpleNamespace(paths=("formula", "numba"))}


@pytest.mark.parametrize("groups, message", [
    ({"x": ("a.one",)}, "a.b.two has no numba path: write a kernel"),
    ({"x": ("a.*",)}, "a.b.two has no numba path: write a kernel"),
    ({"x": ("a.*", "a.b.*"), "y": ("a.one",)}, "a.one is in the groups x, y"),
    ({"x": ("a.one", "a.b.two", "a.fast")}, "'a.fast' in the group x of docs/paths.toml matches"),
    ({"x": ("a.*", "a.b.*", "c.*")}, "'c.*' in the group x of docs/paths.toml matches no"),
])
def test_a_missing_a_double_and_a_stale_reason_are_reported(groups, message):
    (found,) = paths.gaps(OPS, {k: paths.Group("", entries) for k, entries in groups.items()})
    assert found.startswith(message)


def test_complete_reasons_are_not_reported():
    assert not paths.gaps(OPS, {"x": paths.Group("", ("a.*", "a.b.*"))})
