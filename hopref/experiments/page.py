"""Report of the experiments: a JSON file and an HTML page, which shows the PNG files."""
import json
from html import escape

from hopref.experiments.page_style import STYLE
from hopref.experiments.records import DEPENDS, FAILS, NO_VERDICT, REPRODUCES
from hopref.versions import versions

__all__ = ["write_report", "as_json", "SCHEMA"]

SCHEMA = "hopref.reproduce/1"
CLASSES = {REPRODUCES: "yes", DEPENDS: "some", FAILS: "no", NO_VERDICT: "mute"}
COUNTS = {REPRODUCES: ("reproduces", "reproduce"),
         DEPENDS: ("holds in part", "hold in part"),
         FAILS: ("does not reproduce", "do not reproduce"),
         NO_VERDICT: ("has no verdict in the text", "have no verdict in the text")}
TITLE = "Reproduced figures and statements"


def write_report(records, out):
    """Write report.json and index.html into ``out``; return the path of the page."""
    (out / "report.json").write_text(as_json(records) + "\n", encoding="utf-8")
    page = out / "index.html"
    page.write_text(as_html(records), encoding="utf-8")
    return page


def as_json(records):
    """The records as JSON."""
    return json.dumps({"schema": SCHEMA, "hopref": versions()["hopref"],
                       "numpy": versions()["numpy"], "records": [r.as_dict() for r in records]},
                      indent=2, ensure_ascii=False, allow_nan=False)


def as_html(records):
    """The records as an HTML page."""
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
    counts = {v: sum(_kind(r) == v for r in records) for v in CLASSES}
    items = "".join(f'<li><b class="{CLASSES[v]}">{n}</b> {COUNTS[v][n > 1]}</li>'
                    for v, n in counts.items() if n)
    return f"""<p class="lead">This page compares the claims of the blog and the papers with
measurements.  F1 to F14 are the figures of <i>Looking at the Performer from a Hopfield point of
view</i>, computed on the 24 pictures distributed with hopref.  The experiments after them use
random patterns and test statements of the papers on capacities, error bounds, fixed points and
random features.</p>

<ul class="tally">{items}</ul>
<details><summary>How to read this page</summary>
<p>A claim <em>{REPRODUCES}</em> if it passes its test under all choices, sizes or parts tried; it
<em>{DEPENDS}</em> the named choice if it passes under some; it <em>{FAILS}</em> if it passes under
none.  Each test is stated and computed; no verdict is written by hand.</p>
<p><b>F1 to F14.</b>  Each network stores 64 × 64 grey pictures, as numbers from −1 (black) to 1
(white); the binary one stores them as +1 (dark) and −1 (bright).  The lower half of each picture is
then hidden (0, or +1 for the binary network), and the network updates the cue <em>once</em>.
<em>Every</em> stored picture is retrieved.  A <b class="right">blue</b> frame marks a picture that
was retrieved, an <b class="wrong">orange</b> frame one that was not.  The first six pictures, in
alphabetical order, are the “six patterns”.  The blog does not state how pictures were normalised,
nor whether before or after thresholding, so each figure is computed under several named choices.
In every choice a cue is normalised by its visible part alone.  <i>The original pictures</i> are
under copyright and not shown; the results that they give are quoted.  There, 31 of 64 rows were
hidden.</p>
<p><b>The other experiments.</b>  The claim paraphrases the statement of a paper.  Every measured
number has an interval: 99&nbsp;% for proportions of independent trials, four standard errors for
means.  A statement about d → ∞ is tested with an allowance for finite d, which the test states.
All draws have fixed seeds.</p></details>"""


def _kind(record):
    """The verdict, without what it depends on."""
    return DEPENDS if record.verdict.startswith(DEPENDS) else record.verdict


def _tile(record):
    return (f'<a class="{CLASSES[_kind(record)]}" href="#{record.name}" '
            f'title="{escape(record.title)}: {escape(record.verdict)}">{record.name}</a>')


def _section(r):
    claim = f"<blockquote>{escape(r.claim)}</blockquote>" if r.claim else \
        '<p class="nothing">The blog shows this figure without a claim.</p>'
    return f"""<section id="{r.name}">
<h2><span class="number">{r.name}</span> {escape(r.title)}
<span class="equation">{escape(r.equation)}</span></h2>
<div class="claim"><div>{claim}</div>
<p class="badge {CLASSES[_kind(r)]}">{escape(r.verdict)}</p></div>
<p class="outcome">{escape(r.outcome)}</p>
{"".join(map(_picture, r.pictures[:1]))}
<dl>
{_entry("Setting", r.setting)}{_entry("Test", _sentence(r.test))}
{_entry("Explanation", *r.explanation)}
{_entry("Original pictures", r.original_pictures)}</dl>
{"".join(map(_table, r.tables))}
{"".join(map(_picture, r.pictures[1:]))}
</section>
"""


def _entry(term, *lines):
    text = "<br>".join(escape(line) for line in lines)
    return f"<dt>{term}</dt><dd>{text}</dd>\n" if text else ""


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
    """Three digits, or a bound if the number is close to 0."""
    if isinstance(value, int):
        return str(value)
    if value != 0 and abs(value) < 5e-4:
        return "&lt; 0.001" if value > 0 else "&gt; −0.001"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _footer(records):
    seconds = sum(r.seconds for r in records)
    packages = ", ".join(f"{k} {versions()[k]}" for k in ("numpy", "scipy", "matplotlib"))
    return (f"<p>{len(records)} experiments in {seconds:.0f} s; {packages}.  "
            "The same numbers are in <a href='report.json'>report.json</a>.  Pictures: public "
            "domain and CC0, see hopref/data/LICENSES.txt.  Command: "
            "<code>hopref reproduce --out report/</code></p>")
