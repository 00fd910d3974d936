"""``hopref check``: judge one function or, without a target, all installed implementations."""
import sys
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from pathlib import Path

from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge
from hopref.check.engine.subprocess import Subprocess
from hopref.check.peers.known import PEERS, WITHOUT_OP
from hopref.check.report.findings import Report
from hopref.check.report.text import as_json, as_junit, details, table
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.cli.check_options import (
    add_convention,
    convention_record,
    expected,
    not_loaded,
    repeated,
    size,
)
from hopref.errors import HoprefError, PluginError
from hopref.progress import progress

__all__ = ["configure", "run", "own_reports", "peer_reports"]

CONFORMS, FAILS, USAGE = 0, 1, 2


def configure(parser):
    """The arguments of ``hopref check``."""
    parser.add_argument("target", nargs="?", help="pkg.mod:function, or a class or factory "
                        "that makes it; without it, judge every path of hopref and every known "
                        "third party installed here")
    parser.add_argument("--like", metavar="OP", help="the op it implements (hopref ops lists them)")
    parser.add_argument("--dtype", default="float64",
                        choices=("float64", "float32", "float16", "bfloat16"))
    parser.add_argument("--arithmetic", default="", metavar="NAME",
                        help="its arithmetic, where it is not the format's: " + ", ".join(PROFILES))
    add_convention(parser)
    parser.add_argument("--adapter", default="", metavar="FILE.py:NAME",
                        help="a function from the candidate to a callable with the op's signature")
    parser.add_argument("--here", action="store_true", help="look for modules in this folder too")
    parser.add_argument("--memory", default="4GiB", metavar="SIZE",
                        help="resident memory it may take above its baseline (4GiB)")
    parser.add_argument("--time", type=float, default=60.0, metavar="SECONDS", help="for one call")
    parser.add_argument("--case", default="", metavar="NAME", help="only this case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--xfail", metavar="FILE", help="lines 'finding: reason': what is expected")
    parser.add_argument("--json", metavar="FILE", help="write the reports here ('-': to stdout)")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML here")


def run(args):
    """Judge, print, and return the exit code: 0 conforms, 1 does not, 2 wrong usage."""
    try:
        if args.target:
            reports, failed = one_target(args)
        elif args.like:
            raise PluginError(f"--like needs a target: hopref check pkg.mod:function --like "
                              f"{args.like}")
        else:
            own, peers = everything(args.seed)
            reports, failed = own + peers, any(r.verdict == "fails" for r in own)
    except (HoprefError, ValueError) as error:
        print(f"hopref check: {error}", file=sys.stderr)
        return USAGE
    stream = sys.stderr if args.json == "-" else sys.stdout
    show(reports, args, stream)
    for file, text in ((args.json, as_json), (args.junit, as_junit)):
        if file == "-":
            print(text(reports), end="")
        elif file:
            Path(file).write_text(text(reports), encoding="utf-8")
    if stale := stale_lines(args, reports):
        print(f"hopref check: {stale}", file=sys.stderr)
    return FAILS if failed else USAGE if stale else CONFORMS


def stale_lines(args, reports):
    """The sentence about lines of --xfail whose finding did not occur; "" without any."""
    seen = {f.name for r in reports for f in r.findings}
    stale = [] if args.case or not args.target else \
        [name for name in expected(args.xfail) if name not in seen]
    return (f"--xfail {args.xfail}: no longer found, so the line must be removed: "
            + "; ".join(stale)) if stale else ""


def show(reports, args, stream):
    """Print the table, and the findings of every verdict other than "conforms"."""
    if not args.target:
        print(table(reports), file=stream)
    for r in reports:
        if args.target or r.verdict == "fails":
            print("\n" * (not args.target) + details(r), file=stream)
    if not args.target:
        print("\n" + summary(reports), file=stream)


def summary(reports):
    own = [r for r in reports if r.target.startswith("hopref")]
    peers = [r for r in reports if r not in own and r.verdict != "skipped"]
    return (f"hopref: {sum(r.conforms for r in own)} of {len(own)} paths conform.  "
            f"Third parties: {sum(r.conforms for r in peers)} of {len(peers)} conform; "
            "a third party that fails is a finding, not an error.")


def one_target(args):
    """The report on one target, and whether it failed."""
    from hopref.check.laws import laws_of
    from hopref.check.laws import load as load_laws
    from hopref.check.peers.conventions import convention_from
    from hopref.check.peers.targets import ADAPTER, TARGET
    from hopref.dispatch.operation import load
    if not TARGET.fullmatch(args.target):
        raise PluginError(f"a target must be written pkg.mod:function; got {args.target!r}")
    if args.adapter and not ADAPTER.fullmatch(args.adapter):
        raise PluginError(f"an adapter must be written file.py:name; got {args.adapter!r}")
    if not args.like:
        raise PluginError("--like must name the operation or function that the target implements; "
                          "got none")
    if args.like not in load() and not laws_of(args.like):
        known = {*load(), *(name for law in load_laws().values() for name in law.subjects)}
        near = get_close_matches(args.like, sorted(known), 3)
        raise PluginError("--like must name an operation or another function of hopref that has "
                          f"laws; got {args.like!r}"
                          + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    record = convention_record(args)
    convention = convention_from(args.like, record)
    candidate = Subprocess(args.target, args.like, record, args.adapter, here=args.here,
                           memory=size(args.memory), seconds=args.time)
    try:
        report = judge(candidate, args.like, dtype=args.dtype, arithmetic=args.arithmetic,
                       seed=args.seed, only=args.case, again=repeated(args),
                       xfail=expected(args.xfail), convention=convention)
    finally:
        candidate.close()
    if any(f.name == "not loaded" for f in report.findings):
        raise PluginError(not_loaded(args, report.findings[0].message))
    if report.verdict == "skipped":
        raise PluginError(f"no case of {args.like} could be put to {args.target}: "
                          f"{'; '.join(report.not_offered[:3]) or 'no case of that name'}")
    return [report], not report.conforms


def everything(seed):
    """The reports on the paths of hopref, and on third parties, two of which run at a time."""
    with ThreadPoolExecutor(2) as pool:
        waiting = [(peer, dtype, pool.submit(peer_report, peer, dtype, seed))
                   for peer in PEERS if peer.installed for dtype in peer.dtypes]
        own = list(own_reports(seed))
        peers = [job.result() for _, _, job in progress(waiting, label="third parties")]
    absent = [Report(p.name, p.like, skipped=f"{p.package} is not installed")
              for p in PEERS if not p.installed]
    return own, peers + absent + list(without_op())


def own_reports(seed=0):
    """The report on every path of every op that takes arrays or is the subject of a law."""
    for op, path, dtype in progress(own_jobs(), label="own paths"):
        name = "hopref" + (f", {path} path" if path != "formula" else "")
        fixed = f" --fixed backend={path}" if path != "formula" else ""
        candidate = InProcess(on_path(op, path), name)
        yield judge(candidate, op.name, dtype=dtype, seed=seed, strict=True,
                    again=f"hopref check hopref:{op.name} --like {op.name} --dtype {dtype}{fixed} "
                          "--case {case!r} --seed {seed}")


def own_jobs():
    """Every (operation, path, number format) of hopref that can be judged here."""
    from hopref.check.laws import laws_of
    from hopref.dispatch.operation import BACKENDS, load
    judged = [op for op in load().values() if op.arrays or laws_of(op.name)]
    return [(op, path, dtype) for op in judged for path in op.paths
            for dtype in (("float64",) if path == "formula" else ("float64", "float32"))
            if path == "formula" or available(BACKENDS[path].package, path)]


def on_path(op, path):
    def call(*args, **kwargs):
        return op(*args, backend=path, **kwargs)
    return call


def available(package, path):
    """Whether the package of a backend is installed, and for cupy a device is present."""
    from importlib.util import find_spec
    if find_spec(package) is None:
        return False
    if path != "cupy":
        return True
    try:
        import cupy
        return cupy.cuda.runtime.getDeviceCount() > 0
    except Exception:
        return False


def peer_reports(seed=0):
    """The report on every installed third-party implementation."""
    return [peer_report(peer, dtype, seed) for peer in PEERS if peer.installed
            for dtype in peer.dtypes]


def peer_report(peer, dtype, seed):
    candidate = Subprocess(peer.target, peer.like)
    try:
        report = judge(candidate, peer.like, dtype=dtype, arithmetic=peer.within.get(dtype, ""),
                       seed=seed, again=f"hopref check {peer.target} --like {peer.like} "
                                        f"--dtype {dtype} --case {{case!r}} --seed {{seed}}")
    finally:
        candidate.close()
    report.target = peer.name
    return report


def without_op():
    """Known libraries that cannot be judged, since hopref has no corresponding op."""
    from importlib.util import find_spec
    for package, why in WITHOUT_OP.items():
        if find_spec(package) is not None:
            yield Report(package, "-", skipped=why)
