import pytest

from hopref.dispatch.operation import unchecked


@pytest.fixture
def inside_an_operation():
    """Formulas run without NumPy's floating-point warnings, and operations without validation."""
    with unchecked():
        yield
