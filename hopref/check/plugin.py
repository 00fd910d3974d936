"""pytest fixtures of the conformance kit: ``python -m pytest -p hopref.check.plugin``. ::

    def test_my_layer(hopref_conforms):
        hopref_conforms(my_package.retrieve, like="modern.update", dtype="float32")
"""
import pytest

from hopref.check import assert_conforms

__all__ = ["hopref_conforms"]


@pytest.fixture(scope="session")
def hopref_conforms():
    """Return `hopref.check.assert_conforms`, which fails with the report of the candidate."""
    return assert_conforms
