"""Legal calls by argument name, and what a refusal must look like."""
import re
from inspect import Parameter

import numpy as np
import pytest
from hypothesis import given, settings

from hopref.check.cases.strategies import calls
from hopref.dispatch import operation
from tests.groups import each

OPS = operation.load()
WITH_ARRAYS = {name: op for name, op in OPS.items() if op.arrays}
ARGUMENTS = [(name, k) for name, op in WITH_ARRAYS.items() for k in op.arrays]
PARAMETERS = [(name, k) for name, op in OPS.items() for k in op.domains if k not in op.arrays]

# Few of a profile's examples for each of some hundred operations.
widely = settings(max_examples=max(2, settings.default.max_examples // 6))


def those(which, **how):
    """``each_of`` the array arguments whose domain ``which`` picks."""
    return each_of([(n, k) for n, k in ARGUMENTS if which(OPS[n].domains[k])], **how)


def each_of(pairs, **how):
    """One test an operation for a function of (op, argument, given); it names what fails.

    ``on_calls(**how)`` draws the calls once an operation; each is judged for every argument.
    """
    arguments = {}
    for name, argument in pairs:
        arguments.setdefault(name, []).append(argument)

    def declare(test):
        @each("name", arguments, share=4)
        def every_argument(name):
            def judge(given):
                for argument in arguments[name]:
                    try:
                        test(OPS[name], argument, given)
                    except Exception as error:
                        error.add_note(f"argument {argument} of {name}")
                        raise

            on_calls(OPS[name], judge, **how)

        every_argument.__name__, every_argument.__doc__ = test.__name__, test.__doc__
        every_argument.__module__ = test.__module__
        return every_argument
    return declare


def parts(result):
    return result if isinstance(result, tuple) else (result,)


def by_name(op, call):
    """Every argument of a drawn call by its name."""
    args, kwargs = call
    return dict(zip(op.signature.parameters, args, strict=False)) | kwargs


def run(op, given, *, through=None, **keywords):
    """Call ``op`` (or something of its signature) with arguments by name, operands by position."""
    kinds = {k: op.signature.parameters[k].kind for k in given}
    operands = [given[k] for k in op.signature.parameters
                if kinds.get(k) is Parameter.POSITIONAL_ONLY]
    rest = {k: v for k, v in given.items() if kinds[k] is Parameter.KEYWORD_ONLY}
    return (through or op)(*operands, **rest, **keywords)


def on_calls(op, judge, *, examples=2, **how):
    """``judge`` a few full calls of ``op``, all arguments present."""
    @settings(max_examples=examples)
    @given(calls(op, **{"every": True, "empty": False, **how}))
    def judged(call):
        judge(by_name(op, call))

    judged()


def refused(error, op, given, *words, **keywords):
    """The call is refused with exactly this class, in the one form, saying these words."""
    with pytest.raises(error) as caught:
        run(op, given, **keywords)
    look_at_refusal(caught, error, op.name, *words)


def look_at_refusal(caught, error, name, *words):
    message = str(caught.value)
    assert type(caught.value) is error
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert re.fullmatch(rf"hopref\.{re.escape(name)}: \S.*; got \S(.*[^.])?\.", message), message
    for word in words:
        assert word in message, f"{word!r} is not in {message!r}"


def same(ours, theirs):
    """Equal bits, shapes and dtypes, part by part."""
    for a, b in zip(parts(ours), parts(theirs), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
