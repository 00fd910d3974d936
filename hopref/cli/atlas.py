"""``hopref atlas``: how the published implementations that are installed here differ."""
import datetime
import sys
from pathlib import Path

from hopref.check.judgement import near
from hopref.check.peers import installed
from hopref.check.peers.known import PEERS
from hopref.check.report.atlas import Subject, as_markdown, as_page
from hopref.check.report.files import as_json
from hopref.cli.check import judged_in_lines
from hopref.cli.output import add_json
from hopref.errors import PluginError

__all__ = ["configure", "run"]

FILES = {"atlas.md": as_markdown, "atlas.html": as_page}


def configure(parser):
    """The arguments of ``hopref atlas``."""
    parser.add_argument("--like", default="", metavar="OP",
                        help="only functions that are judged as this op, or as ops of this module")
    parser.add_argument("--out", default="atlas", metavar="DIR",
                        help="directory of atlas.md and atlas.html (default: atlas/)")
    parser.add_argument("--seed", type=int, default=0)
    add_json(parser)


def run(options):
    """Judge all that is installed, and write the pages; the exit code is 0 whatever they show."""
    jobs = chosen(options.like)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (out / name).open("a").close()          # before the judgements, which take minutes
    stream = sys.stderr if options.json else sys.stdout
    reports = judged_in_lines(jobs, options.seed, stream)
    by_name = {}
    for r in reports:
        by_name.setdefault(r.target, []).append(r)
    subjects = [Subject(peer, by_name[peer.name]) for peer in PEERS if peer.name in by_name]
    skipped = installed.absent(options.like, installed.THIRD_PARTY)
    date = datetime.date.today().isoformat()
    for name, written in FILES.items():
        (out / name).write_text(written(subjects, skipped, date), encoding="utf-8")
        print(f"written: {out / name}", file=stream)
    if options.json:
        print(as_json(reports), end="")
    return 0


def chosen(like):
    """The judgements of the third parties that are installed here."""
    jobs = installed.jobs(like, installed.THIRD_PARTY)
    known = {peer.like for peer in PEERS}
    if not jobs and not any(installed.chosen(name, like) for name in known):
        raise PluginError(f"--like must name an op that a known third party offers; got "
                          f"{like!r}{near(like, known)}")
    if not jobs:
        packages = sorted({peer.distribution or peer.package for peer in PEERS
                           if installed.chosen(peer.like, like)})
        raise PluginError(f"none of the known third parties is installed here: "
                          f"{', '.join(packages)}")
    return jobs
