/** A report as Markdown. What comes from evidence is escaped, so that it cannot pass for the report's own words. */

import { unreachable } from "#kernel/index.ts";

import type { Block, ReportDocument } from "./document.ts";

/** Renders the report. */
export function renderMarkdown(report: ReportDocument): string {
  const lines = [
    `# ${escape(report.title)}`,
    "",
    escape(report.subtitle),
    "",
    `**${escape(report.verdict.text)}**`,
    "",
    ...report.sections.flatMap((section) => [
      `## ${escape(section.title)}`,
      "",
      ...section.blocks.flatMap((block) => [renderBlock(block), ""]),
    ]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return escape(block.text);
    case "verdict":
      return `**${escape(block.text)}**`;
    case "code":
      return fence(block.text);
    case "list":
      return block.items.map((item) => `- ${escape(item)}`).join("\n");
    case "facts":
      return table(["", ""], block.rows);
    case "table":
      return table(block.columns, block.rows);
    default:
      return unreachable(block);
  }
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(" | ")} |`;
  const rule = `| ${columns.map(() => "---").join(" | ")} |`;
  return [line(columns), rule, ...rows.map(line)].join("\n");
}

/** A fence longer than any run of backticks inside. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = "`".repeat(longest + 1);
  return `${marks}\n${text.replaceAll("\r", "")}\n${marks}`;
}

/** One line, in which nothing reads as markup. */
function escape(text: string): string {
  return text
    .replace(/[\r\n\t]+/g, " ")
    .replace(/[\\`*_[\]<>|~#&]/g, (mark) => `\\${mark}`)
    .replace(/^(\s*)([-+]|\d+[.)])(?=\s)/, "$1\\$2");
}
