/** A report as one self-contained HTML page: no script, nothing loaded, light and dark. */

import { unreachable } from "#kernel/index.ts";

import type { Block, ReportDocument, Tone } from "./document.ts";

/** Renders the report. */
export function renderHtml(report: ReportDocument): string {
  const sections = report.sections.map((section, index) => {
    const id = `section-${index + 1}`;
    const blocks = section.blocks.map(renderBlock).join("\n");
    return `<section aria-labelledby="${id}"><h2 id="${id}">${escape(section.title)}</h2>\n${blocks}</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(report.title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${escape(report.title)}</h1>
<p class="subtitle">${escape(report.subtitle)}</p>
${verdict(report.verdict.tone, report.verdict.text)}
</header>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return `<p>${escape(block.text)}</p>`;
    case "verdict":
      return verdict(block.tone, block.text);
    case "code":
      return `<pre tabindex="0"><code>${escape(block.text)}</code></pre>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${escape(item)}</li>`).join("")}</ul>`;
    case "facts":
      return `<dl>${block.rows.map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`).join("")}</dl>`;
    case "table":
      return renderTable(block);
    default:
      return unreachable(block);
  }
}

function renderTable(block: Block & { kind: "table" }): string {
  const head = block.columns.map((column) => `<th scope="col">${escape(column)}</th>`).join("");
  const rows = block.rows.map((row, index) => {
    const cells = row.map((cell) => `<td>${escape(cell)}</td>`).join("");
    return `<tr class="${block.tones?.[index] ?? "plain"}">${cells}</tr>`;
  });
  return `<div class="scroll" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function verdict(tone: Tone, text: string): string {
  return `<p class="verdict ${tone}">${escape(text)}</p>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => entities[mark] ?? mark);
}

const style = `
:root{color-scheme:light dark;--ink:#1b2027;--soft:#5b6570;--paper:#fdfdfc;--panel:#f3f4f2;--line:#d9dcd8;--good:#17694a;--good-paper:#e3f3ea;--bad:#a3262a;--bad-paper:#fbe7e6;--open:#7a5200;--open-paper:#fbf0d6}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8ea;--soft:#9aa4ae;--paper:#14171a;--panel:#1d2125;--line:#343a40;--good:#7fd6a8;--good-paper:#14301f;--bad:#ff9c97;--bad-paper:#3a1717;--open:#f0c46a;--open-paper:#352a10}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.25rem 0 .6rem;padding-top:.9rem;border-top:1px solid var(--line)}
p,ul,dl,pre,.scroll{margin:.6rem 0}
.subtitle{color:var(--soft)}
.verdict{padding:.7rem .9rem;border-radius:.4rem;border-left:.3rem solid var(--line);background:var(--panel);font-weight:600;overflow-wrap:anywhere}
.verdict.good{border-color:var(--good);background:var(--good-paper);color:var(--good)}
.verdict.bad{border-color:var(--bad);background:var(--bad-paper);color:var(--bad)}
.verdict.open{border-color:var(--open);background:var(--open-paper);color:var(--open)}
pre{padding:.75rem .9rem;background:var(--panel);border:1px solid var(--line);border-radius:.4rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;font:13.5px/1.5 ui-monospace,monospace}
dl div{display:grid;grid-template-columns:minmax(8rem,12rem) 1fr;gap:1rem;padding:.3rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere;min-width:6rem}
th{color:var(--soft);font-weight:600;overflow-wrap:normal}
tr.good td:first-child{box-shadow:inset .25rem 0 var(--good)}
tr.bad td:first-child{box-shadow:inset .25rem 0 var(--bad)}
tr.open td:first-child{box-shadow:inset .25rem 0 var(--open)}
@media (max-width:36rem){dl div{grid-template-columns:1fr;gap:0}}
@media print{main{max-width:none;padding:0}}
`.replaceAll("\n", "");
