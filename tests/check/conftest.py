"""The tests of one operation run after one another, so that they share its kept evaluations."""
from hopref.dispatch.operation import load

OPS = load()


def subject(item):
    """The operation that a test is about, by its parameters; "" if it is about none."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    for value in parameters.values():
        for name in (value, getattr(value, "subject", ""), getattr(value, "op", "")):
            if isinstance(name, str) and name in OPS:
                return name
    return ""


def pytest_collection_modifyitems(items):
    here = [i for i, item in enumerate(items) if "tests/check/" in item.nodeid]
    ordered = sorted((items[i] for i in here), key=subject)
    for i, item in zip(here, ordered):
        items[i] = item
