/** The page's style: system fonts, dark where the screen is, black on white on paper, two charts abreast on A4. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #5a5a5a; --line: #d0d0d0; --ground: #ffffff; --mark: #b33c00; --link: #0b5cad; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --soft: #a8a8a8; --line: #444444; --ground: #161616; --mark: #ff9a66; --link: #7db8f0; }
}
html { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "Liberation Sans", sans-serif; }
body { max-width: 1120px; margin: 0 auto; padding: 24px; }
h1 { font-size: 1.9em; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.35em; margin: 2em 0 0.4em; padding-top: 0.6em; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
h3 { font-size: 1.08em; margin: 1.6em 0 0.2em; }
p { margin: 0.4em 0; max-width: 82ch; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font-family: ui-monospace, "Liberation Mono", monospace; font-size: 0.9em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; border-left: 3px solid var(--line); padding: 4px 12px; margin: 0.6em 0; }
.sub, .note { color: var(--soft); }
.note { font-size: 0.92em; }
.warning { border-left: 4px solid var(--mark); padding: 4px 12px; }
.methods { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0.6em 0; }
.methods dt { font-weight: 600; }
.methods dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9em; font-variant-numeric: tabular-nums; margin: 0.5em 0; }
th, td { padding: 3px 9px; text-align: right; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th[scope="row"], .text, thead th:first-child { text-align: left; }
th[scope="row"] { font-weight: 500; }
thead th { font-weight: 600; vertical-align: bottom; border-bottom: 2px solid var(--soft); }
td { white-space: nowrap; }
td.text { white-space: normal; overflow-wrap: break-word; }
th code { white-space: nowrap; }
small { display: block; font-size: 0.85em; }
.heat th, .heat td { vertical-align: middle; }
.heat td { text-align: center; min-width: 84px; border: 2px solid var(--ground); padding: 7px 8px; }
.heat td a { color: inherit; }
.heat thead th { text-align: center; font-weight: 600; overflow-wrap: break-word; max-width: 170px; }
.heat thead th:first-child { text-align: left; font-weight: 400; color: var(--soft); }
.heat .none { color: var(--mark); }
.heat.final .worst, .heat.best .worst { border-left: 10px solid var(--ground); }
tr.broken { color: var(--mark); }
:target { outline: 2px solid var(--link); outline-offset: -1px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 0; margin: 0.4em 0; font-size: 0.9em; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 10px 16px; }
figure { margin: 0; max-width: 420px; }
figure svg { width: 100%; height: auto; }
figcaption { font-weight: 600; font-size: 0.92em; overflow-wrap: anywhere; }
.dot { color: #0072b2; } .triangle { color: #d55e00; }
footer { margin-top: 2.5em; border-top: 1px solid var(--line); padding-top: 0.6em; color: var(--soft); font-size: 0.9em; }
@page { size: A4; margin: 14mm 13mm; }
@media print {
  html { font-size: 9.5pt; line-height: 1.38; }
  body { max-width: none; padding: 0; }
  a { color: inherit; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding: 2px 5px; }
  thead { display: table-header-group; }
  tr, figure, .note, .legend, .heat, .methods dd { break-inside: avoid; }
  h1, h2, h3, .note, .legend, figcaption { break-after: avoid; }
  .setting { break-before: page; }
  .charts { grid-template-columns: 1fr 1fr; gap: 6px 10px; }
  figure { max-width: none; }
  .heat td { print-color-adjust: exact; -webkit-print-color-adjust: exact; min-width: 0; padding: 5px 4px; }
  .heat.wide { table-layout: fixed; width: 100%; font-size: 7.2pt; }
  .heat.wide thead th { max-width: none; }
  .heat.wide thead th:first-child { width: 22%; }
  .heat.wide td, .heat.wide th { white-space: normal; overflow-wrap: anywhere; padding: 3px 2px; }
  .runs, .cells { font-size: 7.2pt; }
  .runs th, .runs td, .cells th, .cells td { padding: 1px 4px; }
}
`;
