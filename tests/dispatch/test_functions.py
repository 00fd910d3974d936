"""An operation is a plain function: it pickles, shows help, runs in threads and never warns."""
import copy
import inspect
import pickle
import pydoc
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from hopref import modern
from hopref.dispatch import operation
from hopref.errors import DomainError
from tests.dispatch.calling import OPS, on_calls, run, same
from tests.groups import each

every_op = each("name", OPS)
XI, X = np.array([0.5, -1.0]), np.array([[1.0, 2.0], [-3.0, 0.25], [0.0, 1.0]])


@every_op
def test_it_pickles_by_its_name(name):
    op = OPS[name]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(op, protocol)) is op
    assert copy.deepcopy(op) is op
    cloudpickle = pytest.importorskip("cloudpickle")
    assert pickle.loads(cloudpickle.dumps(op)) is op


@every_op
def test_help_shows_the_signature_and_the_docstring(name):
    op = OPS[name]
    text = pydoc.plain(pydoc.render_doc(op))
    signature = inspect.signature(op)
    assert f"{op.__name__}{signature}" in text.replace("\n", "")
    assert op.__doc__.partition("\n")[0] in text
    assert signature.parameters["backend"].default is None
    assert signature.parameters["nonfinite"].default is None
    assert ("check" in signature.parameters) == op.structural


@every_op
def test_its_facts_are_attributes(name):
    op = OPS[name]
    assert op.shapes.count("->") == 1 and isinstance(op.arrays, dict)
    assert all(isinstance(dims, tuple) for dims in (*op.arrays.values(), *op.outputs))
    assert op.lowers is None or callable(op.lowers[0]) and isinstance(op.lowers[1], str)
    assert op.lowers is None or OPS[op.lowers[0].name] is op.lowers[0]
    assert callable(op.formula) and callable(op.prepare)


@each("name", OPS, share=3)
def test_eight_threads_get_the_bits_of_one(name):
    op = OPS[name]

    def judge(given):
        if "rng" in given:
            given = given | {"rng": 7}
        alone, start = run(op, given), Barrier(8)

        def together(_):
            start.wait()
            return [run(op, given) for _ in range(5)]

        with ThreadPoolExecutor(8) as pool:
            for results in pool.map(together, range(8)):
                for result in results:
                    same(alone, result)

    on_calls(op, judge, examples=1)


def test_a_seed_draws_the_same_and_a_generator_goes_on():
    iid = OPS["projections.iid"]
    same(iid(3, 2, rng=7), iid(3, 2, rng=7))
    rng = np.random.default_rng(7)
    first, second = iid(3, 2, rng=rng), iid(3, 2, rng=rng)
    same(first, iid(3, 2, rng=7))
    assert not np.array_equal(first, second)


def test_the_global_random_state_and_error_state_are_left_alone():
    before, errors = np.random.get_state()[1].copy(), np.geterr()      # noqa: NPY002
    OPS["projections.orthogonal"](3, 2, rng=7)
    modern.update(XI * 1e200, X * 1e200, beta=1e-300)
    with pytest.raises(DomainError):
        modern.update(XI * np.nan, X)
    assert np.array_equal(before, np.random.get_state()[1])            # noqa: NPY002
    assert np.geterr() == errors


def test_results_do_not_depend_on_the_error_state_of_numpy():
    """Overflow and underflow inside a formula raise no error."""
    plain = modern.update(XI * 1e3, X, beta=1e3)
    with np.errstate(all="raise"):
        same(plain, modern.update(XI * 1e3, X, beta=1e3))


HARD = {
    "norms of 1e150": (XI * 1e150, X * 1e150, 1.0),
    "beta of 1e300": (XI, X, 1e300),
    "beta of 1e-300": (XI, X, 1e-300),
    "subnormal": (XI * 5e-324, X * 5e-324, 1.0),
    "zeros": (XI * 0, X * 0, 1.0),
    "far apart": (XI, X + 1e15, 1e4),
}


@pytest.mark.parametrize("case", HARD)
def test_finite_input_with_a_finite_answer_gives_neither_nan_nor_warning(case):
    xi, patterns, beta = HARD[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(modern.update(xi, patterns, beta=beta)).all()
        assert np.isfinite(modern.weights(xi, patterns, beta=beta)).all()
        assert np.isfinite(modern.energy(xi, patterns, beta=beta))


def test_a_validation_error_is_one_line_without_inner_frames():
    """The traceback has no frames of the validation."""
    code = "from hopref import modern; modern.update([1.0], [[1.0]], beta=0)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.returncode == 1 and shown.stdout == ""
    assert shown.stderr.endswith("hopref.errors.DomainError: hopref.modern.update: "
                                 "beta must be a finite number >= 1e-300; got beta=0.\n")
    assert "During handling" not in shown.stderr and "direct cause" not in shown.stderr


def test_the_registry_is_independent_of_the_import_order():
    assert operation.load() is operation.OPS
    assert {op.name for op in operation.OPS.values()} == set(operation.OPS)
