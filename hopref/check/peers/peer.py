"""A function of another library as a subject: how it is called, and what its documentation says."""
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec

from hopref.check.peers.conventions import in_format

__all__ = ["NO_EMPTY", "Peer", "Profile", "Uncovered"]

NO_EMPTY = {("raised", case): "it raises for arrays without entries"
            for case in ("empty batch", "empty batch, empty_row=nan")}


@dataclass(frozen=True)
class Profile:
    """What a function does where definitions differ; "" where the question does not arise.

    Attributes
    ----------
    mask : what an entry of its mask means
    align : the end from which its causal mask is counted
    empty_row : its result for a row without a visible entry
    scale : the factor of the scores if none is given
    eps : the constant that it adds if none is given
    inside : the number format of its arithmetic
    """
    mask: str = ""
    align: str = ""
    empty_row: str = ""
    scale: str = ""
    eps: str = ""
    inside: str = "that of the arrays"


@dataclass(frozen=True)
class Peer:
    """A function of another library that is judged as an operation of hopref.

    Attributes
    ----------
    name : as it is printed
    like : name of the operation
    target : the function, or an adapter in this package, as "pkg.mod:name"
    package : the name by which the library is imported
    distribution : the name by which it is installed, if that differs
    needs : further packages that it must find
    call : differences of the call from that of the operation, as a record of `convention_from`
    dtypes : number formats in which it is judged
    within : dictionary from number formats to the name of its arithmetic, where that differs
    expected : dictionary from pairs (finding, case) to the reason for which that finding is no
        failure, where no other case has it
    profile : Profile
    refuted : names of bugs that fit the findings, but not the code as it was read
    remark : why it differs and a small input that shows it, as computed by hand
    """
    name: str
    like: str
    target: str
    package: str
    distribution: str = ""
    needs: tuple = ()
    call: dict = field(default_factory=dict)
    dtypes: tuple = ("float64", "float32")
    within: dict = field(default_factory=dict)
    expected: dict = field(default_factory=dict)
    profile: Profile = Profile()
    refuted: tuple = ()
    remark: str = ""

    @property
    def installed(self):
        return all(find_spec(name) is not None for name in (self.package, *self.needs))

    @property
    def version(self):
        """The installed version; "" if the library does not state it."""
        try:
            return metadata.version(self.distribution or self.package)
        except metadata.PackageNotFoundError:
            return ""

    def record(self, dtype):
        """The convention of its calls in a number format, as a record of `convention_from`."""
        return in_format(self.call, dtype)


@dataclass(frozen=True)
class Uncovered:
    """A function, or a library, that no operation of hopref can judge, with the reason."""
    name: str
    package: str
    why: str

    @property
    def installed(self):
        return find_spec(self.package) is not None
