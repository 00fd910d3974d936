"""``hopref check``: judge one function or, without a target, all installed implementations."""
import sys
from pathlib import Path

from hopref._version import __version__
from hopref.check.engine.judge import judge
from hopref.check.engine.subprocess import Subprocess
from hopref.check.judgement import near, validated
from hopref.check.peers import installed
from hopref.check.report.files import as_json, as_junit
from hopref.check.report.findings import Report
from hopref.check.report.html import as_html
from hopref.check.report.text import HEAD, Columns, details, number_format, row
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.cli.check_options import (
    Text,
    add_convention,
    convention_record,
    expected,
    not_loaded,
    repeated,
    size,
    writable,
)
from hopref.errors import HoprefError, PluginError

__all__ = ["configure", "judged_in_lines", "run"]

CONFORMS, FAILS, USAGE, PARTIAL = 0, 1, 2, 3


def configure(parser):
    """The arguments of ``hopref check``."""
    parser.add_argument("target", nargs="?", help="pkg.mod:function, or a class or factory "
                        "that makes it; without it, judge every path of hopref and every known "
                        "third party installed here")
    parser.add_argument("--like", action=Text, metavar="OP",
                        help="the op that it implements (hopref ops lists them); without a target, "
                             "judge only this op, or the ops of this module")
    parser.add_argument("--path", default="", choices=("formula", "numba", "cupy", "third-party"),
                        help="without a target, judge only this path")
    parser.add_argument("--dtype", default="float64",
                        choices=("float64", "float32", "float16", "bfloat16"))
    parser.add_argument("--arithmetic", action=Text, default="", metavar="NAME",
                        help="its arithmetic, where it is not the format's: " + ", ".join(PROFILES))
    add_convention(parser)
    parser.add_argument("--adapter", action=Text, default="", metavar="FILE.py:NAME",
                        help="a function from the candidate to a callable with the op's signature")
    parser.add_argument("--here", action="store_true", help="look for modules in this folder too")
    parser.add_argument("--memory", action=Text, default="4GiB", metavar="SIZE",
                        help="resident memory it may take above its baseline (4GiB)")
    parser.add_argument("--time", type=float, default=60.0, metavar="SECONDS", help="for one call")
    parser.add_argument("--case", action=Text, default="", metavar="NAME", help="only this case")
    parser.add_argument("--input", action=Text, default="", metavar="CALL",
                        help="only this input, written as a call of the op, like the smallest "
                             "failing input of a report")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--thorough", action="store_true", help="every two levels of options, "
                        "sizes and numbers meet in a case, and laws are tried with more arguments")
    parser.add_argument("--xfail", action=Text, metavar="FILE",
                        help="lines 'finding: reason': what is expected")
    parser.add_argument("--json", action=Text, metavar="FILE",
                        help="write the reports here ('-': to stdout)")
    parser.add_argument("--junit", action=Text, metavar="FILE", help="write JUnit XML here")
    parser.add_argument("--html", action=Text, metavar="FILE",
                        help="write a page for a browser here")


def run(args):
    """Judge, print, and return the exit code: 0 conforms, 1 does not, 2 wrong usage, 3 partial."""
    stream = sys.stderr if args.json == "-" else sys.stdout
    try:
        for option in ("json", "junit", "html"):
            if getattr(args, option) not in (None, "-"):
                writable(f"--{option}", getattr(args, option))
        if args.target:
            reports = [one_target(args)]
            if not unjudged(args, reports[0]):
                print(details(reports[0]), file=stream)
        else:
            reports = everything(args, stream)
    except (HoprefError, ValueError) as error:
        print(f"hopref check: {error}", file=sys.stderr)
        return USAGE
    for file, text in ((args.json, as_json), (args.junit, as_junit), (args.html, as_html)):
        if file == "-":
            print(text(reports), end="")
        elif file:
            Path(file).write_text(text(reports), encoding="utf-8")
    if args.target and (why := unjudged(args, reports[0])):
        print(f"hopref check: {why}", file=sys.stderr)
        return USAGE
    if stale := stale_lines(args, reports):
        print(f"hopref check: {stale}", file=sys.stderr)
    judged = {r.verdict for r in reports if args.target or r.target.startswith("hopref")}
    return FAILS if "fails" in judged else USAGE if stale else \
        PARTIAL if "partial" in judged else CONFORMS


def stale_lines(args, reports):
    """The sentence about lines of --xfail whose finding did not occur; "" without any."""
    seen = {f.name for r in reports for f in r.findings}
    stale = [] if args.case or args.input or not args.target else \
        [name for name in expected(args.xfail) if name not in seen]
    return (f"--xfail {args.xfail}: no longer found, so the line must be removed: "
            + "; ".join(stale)) if stale else ""


def everything(args, stream):
    """The reports on all that is installed; one line for each as it comes, then the findings."""
    if args.thorough:
        raise PluginError("--thorough judges one target; got none")
    wanted = installed.jobs(args.like or "", args.path)
    if not wanted:
        raise PluginError(f"nothing installed here is judged as {args.like or 'any op'}"
                          f"{f' on the path {args.path}' if args.path else ''}"
                          f"{near(args.like or '', {job.like for job in installed.jobs()})}")
    skipped = installed.absent(args.like or "", args.path)
    reports = judged_in_lines(wanted, args.seed, stream, skipped) + skipped
    for r in reports:
        if r.verdict in ("fails", "partial"):
            print("\n" + details(r), file=stream)
    print("\n" + summary(reports), file=stream)
    return reports


def judged_in_lines(wanted, seed, stream, skipped=()):
    """The reports of jobs in their order; the line of each is printed as it comes."""
    print(f"hopref {__version__}: {len(wanted)} judgements, {installed.cores()} at a time",
          file=stream, flush=True)
    coming = [Report(job.name, job.like, job.dtype, job.within or job.dtype) for job in wanted]
    columns = Columns([(8 * "-", r.target, r.like, number_format(r), 5 * "-", "", "")
                       for r in (*coming, *skipped)])
    print(columns.line(HEAD), file=stream, flush=True)
    reports = []
    for report in installed.reports(wanted, seed):
        print(columns.line(row(report)), file=stream, flush=True)
        reports.append(report)
    for r in skipped:
        print(columns.line(row(r)), file=stream)
    order = [(job.name, job.like, job.dtype) for job in wanted]
    return sorted(reports, key=lambda r: order.index((r.target, r.like, r.dtype)))


def summary(reports):
    judged = [r for r in reports if r.verdict != "skipped"]
    own = [r for r in judged if r.target.startswith("hopref")]
    peers = [r for r in judged if r not in own]
    return (f"hopref: {sum(r.conforms for r in own)} of {len(own)} paths conform.  "
            f"Third parties: {sum(r.conforms for r in peers)} of {len(peers)} conform"
            f"{f', {partial} in part' if (partial := count(peers, 'partial')) else ''}; "
            "a third party that fails is a finding, not an error.")


def count(reports, verdict):
    return sum(r.verdict == verdict for r in reports)


def unjudged(args, report):
    """Why a target could not be judged, which is wrong usage; "" if it was."""
    for f in report.findings:
        if f.name == "not loaded":
            places = "".join(f"\n  in {line}" for line in f.trace)
            return f"{not_loaded(args, f.message)}{places}"
    if report.verdict == "skipped":
        return (f"no case of {args.like} could be put to {args.target}: "
                f"{'; '.join(report.not_offered[:3]) or 'no case of that name'}")
    return ""


def one_target(args):
    """The report on one target."""
    from hopref.check.peers.conventions import convention_from
    from hopref.check.peers.targets import ADAPTER, TARGET
    if not TARGET.fullmatch(args.target):
        raise PluginError(f"a target must be written pkg.mod:function; got {args.target!r}")
    if args.adapter and not ADAPTER.fullmatch(args.adapter):
        raise PluginError(f"an adapter must be written file.py:name; got {args.adapter!r}")
    if args.path:
        raise PluginError("--path chooses among the paths of hopref, without a target; that of a "
                          f"target is its argument, such as --fixed backend={args.path}")
    if not 0 < args.time < float("inf"):
        raise PluginError(f"--time must be a positive finite number; got {args.time:g}")
    if args.seed < 0:
        raise PluginError(f"--seed must be an integer >= 0; got {args.seed}")
    if size(args.memory) == 0:
        raise PluginError(f"--memory must be positive; got {args.memory!r}")
    if not args.like:
        raise PluginError("--like must name the operation or function that the target implements; "
                          "got none")
    validated(args.like)
    record = convention_record(args)
    convention = convention_from(args.like, record)
    candidate = Subprocess(args.target, args.like, record, args.adapter, here=args.here,
                           memory=size(args.memory), seconds=args.time)
    try:
        report = judge(candidate, args.like, dtype=args.dtype, arithmetic=args.arithmetic,
                       seed=args.seed, only=args.case, input=args.input, again=repeated(args),
                       xfail=expected(args.xfail), convention=convention,
                       thorough=args.thorough, certify=True)
    finally:
        candidate.close()
    return report
