/** Reads changes and reports of monitors from JSON: lists, lines, and objects that hold several lists. */

import type { ChangeEvent } from "../../model/changes.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import type { IncidentContent } from "../../model/incident.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { firstObjectOf, itemsOf } from "../tracing/documents.ts";
import { changeOf, type ListName } from "./change-record.ts";
import { reportsOf } from "./incident-record.ts";
import { changeLimits } from "./limits.ts";

/** Names of lists, and what stands in them. */
const listNames: ReadonlyMap<string, ListName> = new Map(
  (
    [
      ["commits", "commits git_commits commit_history"],
      ["deploys", "deploys deployments releases rollouts deploy_events roll_outs"],
      ["flags", "flags feature_flags featureFlags flag_changes toggles config_changes settings"],
      ["alerts", "alerts firing"],
      ["statuses", "statuses status_feed"],
      ["patterns", "patterns log_patterns"],
    ] as const
  ).flatMap(([list, words]) => words.split(" ").map((word) => [word, list] as const)),
);

/** What a file is called can say what its records are, such as `deploys.json`. */
function listOfName(name: string): ListName | undefined {
  const stem = name.replace(/\..*$/, "").toLowerCase();
  return (
    listNames.get(stem) ??
    [...listNames].find(
      ([word]) =>
        stem === word.replace(/s$/, "") || stem.endsWith(`_${word}`) || stem.endsWith(`-${word}`),
    )?.[1]
  );
}

/** Whether a text begins with a record of a change or of a report, alone, in a list or in an object of lists. */
export function recogniseChangeRecords({ head, name }: FormatInput): boolean {
  if (
    head === undefined ||
    /"(?:resourceSpans|resourceLogs|resourceMetrics|apiVersion)"\s*:/.test(head.slice(0, 2_048))
  )
    return false;
  const list = listOfName(name);
  const named = /^\s*\{[\s\S]{0,2048}?"(\w+)"\s*:\s*\[\s*(?=\{)/.exec(head.slice(0, 4_096));
  const listed = named === null ? undefined : listNames.get(named[1] ?? "");
  if (named !== null && listed !== undefined) {
    const first = firstObjectOf(head.slice(named[0].length));
    if (isFields(first) && isKnown(first, listed)) return true;
  }
  const first = firstObjectOf(head);
  if (isFields(first)) return isKnown(first, list) || isCollection(first);
  // The first record is longer than what is looked at, as a commit with a long diff is.
  return (
    /^\s*\[?\s*\{/.test(head) &&
    /"(?:sha|hash|commit|oid)"\s*:\s*"[0-9a-f]{7,64}"/.test(head) &&
    /"(?:diff|patch|files_changed)"\s*:/.test(head)
  );
}

function isKnown(record: Fields, list: ListName | undefined): boolean {
  return reportsOf(record, list).length > 0 || changeOf(record, list) !== undefined;
}

function isCollection(record: Fields): boolean {
  return Object.entries(record).some(([key, value]) => {
    const list = listNames.get(key);
    if (list === undefined || !Array.isArray(value)) return false;
    const items: unknown[] = value;
    return isFields(items[0]) && isKnown(items[0], list);
  });
}

/** Reads every record of a text. */
export function readChangeRecords(input: FormatInput): FileContent {
  const gathered = new GatheredRecords();
  const list = listOfName(input.name);
  for (const item of itemsOf(input.text())) {
    if (isFields(item)) gathered.add(item, list);
    else gathered.skip();
  }
  return gathered.content();
}

class GatheredRecords {
  readonly #events: ChangeEvent[] = [];
  readonly #incident: IncidentContent = {
    kind: "incident",
    alerts: [],
    statuses: [],
    patterns: [],
  };
  #skippedCount = 0;

  add(record: Fields, list: ListName | undefined): void {
    const reports = reportsOf(record, list);
    for (const { list: target, item } of reports) {
      const items: unknown[] = this.#incident[target];
      if (items.length === changeLimits.reportCountMax) throw tooMany("reports", items.length);
      items.push(item);
    }
    if (reports.length > 0) return;
    const change = changeOf(record, list);
    if (change !== undefined) {
      if (this.#events.length === changeLimits.eventCountMax)
        throw tooMany("changes", this.#events.length);
      this.#events.push(change);
    } else this.#addLists(record);
  }

  #addLists(record: Fields): void {
    let isFound = false;
    for (const [key, value] of Object.entries(record)) {
      const list = listNames.get(key);
      if (list === undefined || !Array.isArray(value)) continue;
      isFound = true;
      const items: unknown[] = value;
      for (const item of items) {
        if (isFields(item)) this.add(item, list);
        else this.skip();
      }
    }
    if (!isFound) this.skip();
  }

  skip(): void {
    this.#skippedCount += 1;
  }

  content(): FileContent {
    const { alerts, statuses, patterns } = this.#incident;
    const hasReports = alerts.length + statuses.length + patterns.length > 0;
    if (!hasReports && this.#events.length === 0) {
      throw new EvidenceError("The file holds no change and no report of a monitor.", {
        expected: "at least one commit, deploy, flag or alert",
        where: "line 1, column 1",
      });
    }
    const changes =
      this.#events.length === 0 ? [] : [{ kind: "changes" as const, events: this.#events }];
    return {
      contents: [...changes, ...(hasReports ? [this.#incident] : [])],
      notes:
        this.#skippedCount === 0
          ? []
          : [`${this.#skippedCount} records that are no change and no report were skipped.`],
    };
  }
}

function tooMany(what: string, limit: number): EvidenceError {
  return new EvidenceError(`The file holds too many ${what}.`, {
    expected: `at most ${limit} ${what}`,
  });
}
