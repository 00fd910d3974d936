"""Style sheet of the report."""

__all__ = ["STYLE"]

STYLE = """
:root { --ink: #1d2430; --soft: #5a6474; --line: #e3e6eb; --paper: #fff; --ground: #f6f7f9;
  --yes: #1f77b4; --some: #a06a00; --no: #c2410c; --mute: #6b7280; --wash: #eef4fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ec; --soft: #9aa4b2; --line: #2b3240;
  --paper: #171b22; --ground: #0f1217; --yes: #6db3e8; --some: #e0b04c; --no: #f08a5d;
  --mute: #9aa4b2; --wash: #1c2733; } figure img { filter: brightness(.92); } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 4rem; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui,
  -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3rem; }
.brand { margin: 0; color: var(--soft); letter-spacing: .04em; font-size: .9rem; }
h1 { margin: .2rem 0 1rem; font-size: 2.3rem; line-height: 1.15; letter-spacing: -.02em; }
.lead { max-width: 46rem; font-size: 1.1rem; }
.tally { display: flex; flex-wrap: wrap; gap: .4rem 2rem; list-style: none; margin: 1.4rem 0;
  padding: 0; color: var(--soft); }
.tally b { font-size: 1.7rem; margin-right: .25rem; vertical-align: -.1em; }
b.yes { color: var(--yes); } b.some { color: var(--some); } b.no { color: var(--no); }
b.mute { color: var(--mute); } b.right { color: #1f77b4; } b.wrong { color: #d9541e; }
details { max-width: 46rem; color: var(--soft); margin-bottom: 1rem; }
summary { cursor: pointer; color: var(--ink); }
nav { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: .35rem;
  justify-content: center; padding: .6rem 1rem; background: var(--ground);
  border-bottom: 1px solid var(--line); }
nav a { min-width: 2.9rem; text-align: center; padding: .15rem .5rem; border-radius: 99px;
  text-decoration: none; font-size: .85rem; font-weight: 600; color: var(--paper);
  background: var(--mute); }
nav a.yes, .badge.yes { background: var(--yes); }
nav a.some, .badge.some { background: var(--some); }
nav a.no, .badge.no { background: var(--no); }
nav a.mute, .badge.mute { background: var(--mute); }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.6rem 1.8rem; margin: 1.5rem 0; }
h2 { margin: 0 0 .8rem; font-size: 1.35rem; display: flex; flex-wrap: wrap; gap: .2rem .7rem;
  align-items: baseline; }
.number { color: var(--soft); font-weight: 500; }
.equation { margin-left: auto; color: var(--soft); font-size: .95rem; font-weight: 400; }
.claim { display: flex; gap: 1.5rem; align-items: center; justify-content: space-between; }
blockquote { margin: 0; padding-left: 1rem; border-left: 3px solid var(--line); font-style: italic;
  color: var(--soft); }
.nothing { margin: 0; color: var(--soft); font-style: italic; }
.badge { flex: none; margin: 0; padding: .2rem .85rem; border-radius: 99px; color: var(--paper);
  font-weight: 600; font-size: .88rem; }
.outcome { font-size: 1.1rem; margin: 1rem 0; }
figure { margin: 1.2rem 0; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; border-radius: 6px;
  background: #fff; }
figcaption { color: var(--soft); font-size: .88rem; margin-top: .4rem; text-align: center; }
dl { display: grid; grid-template-columns: 9.5rem 1fr; gap: .45rem 1rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
.table { overflow-x: auto; margin: 1.2rem 0 .4rem; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 500; white-space: normal; vertical-align: bottom; }
td { font-variant-numeric: tabular-nums; }
td.bar { background: linear-gradient(90deg, var(--wash) calc(var(--share) * 100%), transparent 0);
  padding-left: .4rem; }
td.bar + td { padding-left: .8rem; }
footer { color: var(--soft); font-size: .88rem; padding-bottom: 3rem; }
a { color: var(--yes); } code { font-size: .92em; }
@media (max-width: 44rem) { .claim { flex-direction: column; align-items: flex-start; gap: .6rem; }
  dl { grid-template-columns: 1fr; gap: .1rem; } dd { margin-bottom: .6rem; }
  .equation { margin-left: 0; } section { padding: 1.1rem; } }
"""
