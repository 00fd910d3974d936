"""The report: one JSON file and one HTML page beside the PNGs."""
import json
from html import escape

from hopref.experiments.page_style import STYLE
from hopref.experiments.records import DEPENDS, FAILS, REPRODUCES, SILENT
from hopref.versions import versions

__all__ = ["write_report", "as_json", "SCHEMA"]

SCHEMA = "hopref.reproduce/1"
CLASSES = {REPRODUCES: "yes", DEPENDS: "some", FAILS: "no", SILENT: "mute"}
TALLY = {REPRODUCES: ("reproduces", "reproduce"),
         DEPENDS: ("holds in part", "hold in part"),
         FAILS: ("does not reproduce", "do not reproduce"),
         SILENT: ("has no verdict in the text", "have no verdict in the text")}
TITLE = "Figures and statements, run again"


def write_report(records, out):
    """Write report.json and index.html into ``out``; return the path of the page."""
    (out / "report.json").write_text(as_json(records) + "\n", encoding="utf-8")
    page = out / "index.html"
    page.write_text(as_html(records), encoding="utf-8")
    return page


def as_json(records):
    return json.dumps({"schema": SCHEMA, "hopref": versions()["hopref"],
                       "numpy": versions()["numpy"], "records": [r.as_dict() for r in records]},
                      indent=2, ensure_ascii=False, allow_nan=False)


def as_html(records):
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE} · hopref</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<p class="brand">hopref {escape(versions()["hopref"])}</p>
<h1>{TITLE}</h1>
{_introduction(records)}
</header>
<nav>{"".join(map(_tile, records))}</nav>
<main>
{"".join(map(_section, records))}
</main>
<footer>{_footer(records)}</footer>
</body>
</html>
"""


def _introduction(records):
    tally = {v: sum(_kind(r) == v for r in records) for v in CLASSES}
    said = "".join(f'<li><b class="{CLASSES[v]}">{n}</b> {TALLY[v][n > 1]}</li>'
                   for v, n in tally.items() if n)
    return f"""<p class="lead">What the texts claim, held against what was measured.  F1 to F14 are
the figures of <i>Looking at the Performer from a Hopfield point of view</i>, computed anew on the
24 pictures that come with hopref.  The experiments after them draw random patterns, and try what
the papers beneath the blog state: capacities, bounds on errors, fixed points, random features.</p>

<ul class="tally">{said}</ul>
<details><summary>How to read this page</summary>
<p>A claim <em>{REPRODUCES}</em> if it passes its test under all choices, sizes or parts tried;
<em>{DEPENDS}</em> what is named if under some; <em>{FAILS}</em> if under none.  Each test is
written out and computed; no verdict is written by hand.</p>
<p><b>F1 to F14.</b>  Each network stores 64 × 64 grey pictures, as numbers from −1 (black) to 1
(white); the binary one stores them as +1 (dark) and −1 (bright).  The lower half of each picture is
then hidden (0, or +1 for the binary network), what remains is shown, and the network updates
<em>once</em>.  <em>Every</em> stored picture is tried, not one.  A <b class="right">blue</b> frame
marks what was retrieved, an <b class="wrong">orange</b> one what was not.  The first six pictures,
in alphabetical order, are the “six patterns”.  The blog leaves open how pictures were normalised,
and whether before or after thresholding, so each figure is run under several named choices.  A
hidden half is unknown to the network in every choice: a cue is normalised by what can be seen of
it.  <i>The original pictures</i> are under copyright and not shown; what they gave when they were
run again is quoted.  There, 31 of 64 rows were hidden.</p>
<p><b>The others.</b>  The claim says what a paper states, in other words.  Every measured number
comes with an interval: 99&nbsp;% for shares of independent trials, four standard errors for means.
Statements about d → ∞ come with the allowance for finite d that the test makes.  All draws have
fixed seeds.</p></details>"""


def _kind(record):
    """The verdict, without what it depends on."""
    return DEPENDS if record.verdict.startswith(DEPENDS) else record.verdict


def _tile(record):
    return (f'<a class="{CLASSES[_kind(record)]}" href="#{record.figure}" '
            f'title="{escape(record.title)}: {escape(record.verdict)}">{record.figure}</a>')


def _section(r):
    claim = f"<blockquote>{escape(r.claim)}</blockquote>" if r.claim else \
        '<p class="nothing">The text shows this figure without a verdict.</p>'
    return f"""<section id="{r.figure}">
<h2><span class="number">{r.figure}</span> {escape(r.title)}
<span class="equation">{escape(r.equation)}</span></h2>
<div class="claim"><div>{claim}</div>
<p class="badge {CLASSES[_kind(r)]}">{escape(r.verdict)}</p></div>
<p class="outcome">{escape(r.outcome)}</p>
{"".join(map(_picture, r.pictures[:1]))}
<dl>
{_entry("What was run", r.setting)}{_entry("Test", _sentence(r.test))}{_entry("Why", *r.why)}
{_entry("Original pictures", r.originals)}</dl>
{"".join(map(_table, r.tables))}
{"".join(map(_picture, r.pictures[1:]))}
</section>
"""


def _entry(term, *lines):
    said = "<br>".join(escape(line) for line in lines)
    return f"<dt>{term}</dt><dd>{said}</dd>\n" if said else ""


def _sentence(text):
    return text[0].upper() + text[1:] + "."


def _picture(picture):
    return (f'<figure><img src="{escape(picture.file)}" alt="{escape(picture.caption)}" '
            f'loading="lazy"><figcaption>{escape(picture.caption)}</figcaption></figure>\n')


def _table(table):
    head = "".join(f"<th>{escape(c)}</th>" for c in table.columns)
    body = "".join("<tr>" + "".join(_cell(v) for v in row) + "</tr>\n" for row in table.rows)
    return (f'<div class="table"><table><caption>{escape(table.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n")


def _cell(value):
    if isinstance(value, str):
        counts = value.split(" of ")
        share = int(counts[0]) / int(counts[1]) if len(counts) == 2 else None
        bar = f' class="bar" style="--share:{share:.3f}"' if share is not None else ""
        return f"<td{bar}>{escape(value)}</td>"
    return f'<td class="n">{number(value)}</td>'


def number(value):
    """Three digits, and no false precision for what is almost nothing."""
    if isinstance(value, int):
        return str(value)
    if value != 0 and abs(value) < 5e-4:
        return "&lt; 0.001" if value > 0 else "&gt; −0.001"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _footer(records):
    seconds = sum(r.seconds for r in records)
    found = ", ".join(f"{k} {versions()[k]}" for k in ("numpy", "scipy", "matplotlib"))
    return (f"<p>{len(records)} experiments in {seconds:.0f} s; {found}.  "
            "The same numbers are in <a href='report.json'>report.json</a>.  Pictures: public "
            "domain and CC0, see hopref/data/LICENSES.txt.  Run again: "
            "<code>hopref reproduce --out report/</code></p>")
