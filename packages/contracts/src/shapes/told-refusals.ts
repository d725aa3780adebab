/** Operators that refused their inputs, as the logs of a program tell. */

import type { FindingParts } from "../model/make-finding.ts";
import type { LogLine } from "../model/evidence.ts";
import { evidenceOfKind, type EvidenceOf, type Snapshot } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { type Refusal, refusalIn } from "../readers/operators/refusals.ts";

/** Different messages of one log that are told. */
const messageCountMax = 20;
/** Entries of one log that are looked at, the last ones: a program tells its end at its end. */
const lineCountMax = 200_000;

/** Whether an entry ends in the name of an exception and the beginning of what it says. */
const isTraceEnd = /(?:^|\n)[\w.]{1,128}(?:Error|Exception)\b[^\n]{0,512}$/;

const raised = /^(?:E\s+)?[\w.]{1,128}(?:Error|Exception|Warning|Fail)\b/;

/** A line about a request, as access logs have it. */
const requested = /\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/\S/;

/** What a program only informs of is often a text that it was given; there a refusal has to be the program's own exception. */
function isTold({ severity }: Pick<LogLine, "severity">, line: string): boolean {
  const isCalm = severity === "info" || severity === "debug" || severity === "trace";
  const isOfOthers = isCalm || requested.test(line);
  return !isOfOthers || raised.test(line);
}

interface Told extends Refusal {
  readonly line: string;
  readonly place: string | undefined;
  readonly index: number;
  count: number;
}

/** One finding for each different refusal. */
export function toldRefusals(snapshot: Snapshot): FindingParts[] {
  return evidenceOfKind(snapshot, "logs").flatMap((log) =>
    [...refusalsOf(log).values()].map((told) => findingOf(log, told)),
  );
}

function refusalsOf({ content }: EvidenceOf<"logs">): Map<string, Told> {
  const byMessage = new Map<string, Told>();
  const from = Math.max(0, content.lines.length - lineCountMax);
  let before = "";
  for (let index = from; index < content.lines.length; index += 1) {
    const entry = content.lines[index];
    const own = entry?.text ?? "";
    // A message with an empty line in it comes as two entries, of which the first alone says that it is an error.
    const alone = refusalIn(own);
    const text = alone !== undefined || before === "" ? own : `${before}\n${own}`;
    const found = alone ?? (text === own ? undefined : refusalIn(text));
    before = found === undefined && isTraceEnd.test(own) ? own : "";
    if (entry === undefined || found === undefined || !isTold(entry, found.line)) continue;
    const key = `${found.operator}\n${found.expected}\n${found.actual}`;
    const known = byMessage.get(key);
    if (known !== undefined) known.count += 1;
    else if (byMessage.size < messageCountMax) {
      const place = placeBefore(text.slice(0, found.at));
      byMessage.set(key, { ...found, place, index, count: 1 });
    }
  }
  return byMessage;
}

/** The innermost line of the program's own that a trace of Python names: `net.py:12 in forward: x = self.fc1(x)`. */
function placeBefore(text: string): string | undefined {
  let place: string | undefined;
  for (const found of text.matchAll(
    /File "([^"\n]{1,1024})", line (\d{1,9}), in (\S{1,128})(?:\r?\n\s+([^\n]{1,80}))?/g,
  )) {
    const [, path = "", line = "", scope = "", code] = found;
    if (/site-packages|dist-packages|lib\/python|<frozen/.test(path)) continue;
    const name = path.slice(path.lastIndexOf("/") + 1);
    place = `${name}:${line} in ${scope}${code === undefined || code.startsWith("File ") ? "" : `: ${code.trim()}`}`;
  }
  return place;
}

function findingOf(log: EvidenceOf<"logs">, told: Told): FindingParts {
  const { operator, expected, actual, place, line, count } = told;
  const where = place === undefined ? "" : ` at ${place}`;
  return {
    verdict: "violated",
    subject: { kind: "operators", name: log.content.about?.pod ?? log.source.name },
    title: `${operator} refused its inputs${where}`,
    expected: `${operator} takes ${expected}.`,
    actual: `${actual}.${count === 1 ? "" : ` It was told ${plural(count, "time")}.`}`,
    causeKind: "change",
    measures: { refusalCount: count, isTold: true },
    evidence: [
      { evidenceId: log.id, locator: `/lines/${told.index}`, quote: line.slice(0, 2_048) },
    ],
    fixes: [
      {
        description: `Give ${operator}${where} ${expected}.`,
        cost: 1,
      },
    ],
    nextChecks: [
      "Record the operators before it with their shapes (torch.export, a profile with record_shapes=True): the first whose output is not what follows is where the shape goes wrong.",
    ],
  };
}
