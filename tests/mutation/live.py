"""A mutant in place of the source of a running process, which is a copy made for it.

Functions receive the code of the mutant.  Where code that runs at import differs, the module is
executed again, and what it defines replaces the old definitions wherever they are referred to.
"""
import ast
import functools
import gc
import sys
import types
from pathlib import Path

from hopref.dispatch import registry

__all__ = ["Process"]

OPTIMIZED = 1               # code of a function, not of a module or class
OF_CLASSES = {"__dict__", "__weakref__", "__doc__", "__slots__"}
DECLARE = ("models", "maps", "features", "gradients", "storage", "projections", "layers", "theory")


class Process:
    """The functions of this process by their code, indexed once."""
    def __init__(self, files):
        gc.unfreeze()
        self.functions, self.caches = {}, []
        for f in gc.get_objects():
            if isinstance(f, types.FunctionType) and f.__code__.co_filename in files:
                self.functions.setdefault(_key(f.__code__), []).append(f)
            elif isinstance(f, functools._lru_cache_wrapper) \
                    and _key(getattr(f.__wrapped__, "__code__", None))[0] in files:
                self.caches.append(f)

    def put(self, module, old, new, at_import):
        """Make the tree ``new`` of a module that of this process."""
        file = module.__file__
        before, after = (compile(tree, file, "exec") for tree in (old, new))
        pairs = list(_pairs(before, after))
        for f, code in self._codes(pairs):
            f.__code__ = code
        changed = [(a, b) for a, b in pairs if _own(a) != _own(b)]
        closures = any(a.co_freevars != b.co_freevars for a, b in changed)
        if at_import or closures or not all(a.co_flags & OPTIMIZED for a, b in changed):
            reload(module, after)
        if at_import or closures and module.__name__.startswith("hopref.dispatch"):
            declare_again()
        for cache in self.caches:
            cache.cache_clear()

    def _codes(self, pairs):
        for a, b in pairs:
            for f in self.functions.get(_key(a), ()):
                if f.__code__.co_freevars == b.co_freevars:
                    yield f, b


def _key(code):
    if code is None:
        return ("",)
    return code.co_filename, code.co_qualname, code.co_firstlineno, code.co_code


def _pairs(a, b):
    """Codes of two modules in pairs, of which the second may be changed."""
    yield a, b
    others = {}
    for code in _nested(b):
        others.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    for code in _nested(a):
        found = others.get((code.co_qualname, code.co_firstlineno))
        if found:
            yield from _pairs(code, found.pop(0))


def _nested(code):
    return [c for c in code.co_consts if isinstance(c, types.CodeType)]


def _own(code):
    """What a code does itself, without the codes in it."""
    constants = tuple((type(c), repr(c)) for c in code.co_consts
                      if not isinstance(c, types.CodeType))
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars


def reload(module, code):
    """Execute a module again, and let all references to its definitions have the new content.

    Functions, classes and records keep their identity, and other objects are replaced in all
    modules that import them.
    """
    before, ops = dict(vars(module)), dict(registry.OPS)
    for name in [name for name, op in ops.items() if op.__module__ == module.__name__]:
        del registry.OPS[name]
    exec(code, vars(module))
    moved = {}
    for name, new in list(vars(module).items()):
        old, kind = before.get(name), before.get(type(new).__name__)
        if type(new).__module__ == module.__name__ and isinstance(kind, type):
            object.__setattr__(new, "__class__", kind)
        if old is None or old is new or name.startswith("__"):
            continue
        if _replaced(old, new):
            setattr(module, name, old)
        else:
            moved[name] = old, new
    _move(moved)
    registry.OPS.update({name: old for name, old in ops.items() if name in registry.OPS})


def _move(moved):
    """Replace objects by others of the same name, in all modules of the project."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith(("hopref", "tests")):
            for name, (old, new) in moved.items():
                if vars(module).get(name) is old:
                    setattr(module, name, new)


def _replaced(old, new):
    """Give an old definition the content of the new one, if it is of a kind that allows it."""
    if isinstance(old, types.FunctionType) and isinstance(new, types.FunctionType):
        return _replaced_function(old, new)
    if isinstance(old, type) and isinstance(new, type) and not hasattr(old, "_fields"):
        _replaced_class(old, new)
        return True
    ours = type(old) is type(new) and type(old).__module__.startswith("hopref.")
    if ours and hasattr(old, "__dict__"):
        vars(old).clear()
        vars(old).update(vars(new))
    return ours and hasattr(old, "__dict__")


def _replaced_function(old, new):
    if old.__module__ != new.__module__ or old.__code__.co_freevars != new.__code__.co_freevars:
        return False
    for name in ("__code__", "__defaults__", "__kwdefaults__", "__doc__"):
        setattr(old, name, getattr(new, name))
    for a, b in zip(old.__closure__ or (), new.__closure__ or ()):
        a.cell_contents = old if b.cell_contents is new else b.cell_contents
    vars(old).clear()
    vars(old).update(vars(new))
    return True


def _replaced_class(old, new):
    for name in vars(old).keys() - vars(new).keys() - OF_CLASSES:
        delattr(old, name)
    for name in vars(new).keys() - OF_CLASSES:
        kept, value = vars(old).get(name), vars(new)[name]
        slot = isinstance(kept, types.MemberDescriptorType)
        if not slot and not (isinstance(kept, types.FunctionType) and _replaced(kept, value)):
            setattr(old, name, value)


def declare_again():
    """Execute all modules that declare operations again, in the order of their import."""
    for name, module in list(sys.modules.items()):
        if name.startswith(tuple(f"hopref.{package}" for package in DECLARE)):
            text = Path(module.__file__).read_text()
            if "@op(" in text:
                reload(module, compile(ast.parse(text), module.__file__, "exec"))
