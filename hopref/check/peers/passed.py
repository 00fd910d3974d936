"""The parameters of a candidate to which no call passed an argument."""
import inspect

__all__ = ["Passed"]

ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Passed:
    """Parameters of a candidate; ``never`` lists those to which no call passed an argument.

    Those of an operation of hopref are the declared ones, without ``backend``; those in ``ignored``
    need not be passed.

    >>> import inspect
    >>> from hopref.check.peers.passed import Passed
    >>> candidate = lambda query, memory, scale=1.0: query
    >>> passed = Passed(candidate, inspect.signature(candidate).parameters)
    >>> passed.note(["Q", "K"], {})
    >>> passed.never
    ['scale']
    """
    def __init__(self, candidate, parameters, ignored=()):
        declared = getattr(candidate, "signature", None)
        parameters = declared.parameters if isinstance(declared, inspect.Signature) else parameters
        named = {k: p for k, p in (parameters or {}).items() if p.kind not in ANY_NUMBER}
        self.places = [k for k, p in named.items() if p.kind is not p.KEYWORD_ONLY]
        self.never = [k for k in named if k not in ignored]

    def note(self, places, named):
        """Note the arguments of one call."""
        given = {*self.places[:len(places)], *named}
        self.never = [k for k in self.never if k not in given]
