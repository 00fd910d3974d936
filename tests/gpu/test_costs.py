"""The page on GPUs states the launches and the memory of each path as they are counted."""
from pathlib import Path

from tests.gpu import nvrtc
from tests.gpu.comparison import in_steps
from tests.gpu.costs import BEGIN, END, table
from tests.gpu.mutants import (
    HIDDEN,
    IN_PTX,
    IN_SOURCE,
    OF_CAUSAL,
    OF_DENSE,
    OF_HALF,
    OF_SWEEPS,
)
from tests.gpu.mutants_of_features import OF_FEATURES
from tests.gpu.mutants_of_tiles import OF_TILE

pytestmark = nvrtc.required()
PAGE = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text("utf-8")


@in_steps(10)
def test_the_table_is_that_of_the_page(step):
    """Written anew by ``python -m tests.gpu.costs``."""
    lines = PAGE.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    assert lines[:2] + lines[2::step] == table(step)


def test_the_number_of_wrong_kernels_is_that_of_the_page():
    wrong = len(IN_SOURCE + HIDDEN + IN_PTX + OF_SWEEPS + OF_CAUSAL + OF_HALF + OF_DENSE + OF_TILE
                + OF_FEATURES)
    assert f"* {wrong} wrong versions of the kernels" in PAGE
