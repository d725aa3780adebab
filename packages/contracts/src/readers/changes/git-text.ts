/** Reads what `git log -p`, `git show`, `git format-patch` and `git diff` print. */

import type { CommitChange } from "../../model/changes.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { timeOfText } from "../time-text.ts";
import { diffFields } from "./change-record.ts";
import { changeLimits } from "./limits.ts";

const logStart = /^commit ([0-9a-f]{7,64})(?: \(.*\))?$/;
const mailStart = /^From ([0-9a-f]{40,64}) Mon Sep 17 00:00:00 2001$/;

/** Whether a text begins as git's log, its patches as mail, or a bare diff do. */
export function recogniseGitText(head: string): boolean {
  const [first = "", second = ""] = head.replace(/^\uFEFF/, "").split(/\r?\n/, 2);
  if (mailStart.test(first)) return true;
  if (logStart.test(first)) return /^(?:Author|Merge|AuthorDate|tree|gpgsig)\b/.test(second);
  return /^diff --git \S+ \S+/.test(first);
}

interface Draft {
  readonly id: string;
  readonly isMail: boolean;
  timeMicros: number | undefined;
  part: "header" | "message" | "diff";
  readonly message: string[];
  readonly files: Set<string>;
  readonly diff: string[];
}

/** Reads all commits of a text; a bare diff is one without an id of its own. */
export function readGitText(input: FormatInput): FileContent {
  const drafts: Draft[] = [];
  let draft: Draft | undefined;
  for (const line of input
    .text()
    .replace(/^\uFEFF/, "")
    .split("\n")) {
    const written = line.endsWith("\r") ? line.slice(0, -1) : line;
    const start = mailStart.exec(written) ?? logStart.exec(written);
    if (start !== null) {
      draft = draftOf(start[1] ?? "", mailStart.test(written));
      drafts.push(draft);
    } else if (draft === undefined && written !== "") {
      draft = { ...draftOf(input.name, false), part: "diff" };
      drafts.push(draft);
      addLine(written, draft);
    } else if (draft !== undefined) addLine(written, draft);
    if (drafts.length > changeLimits.eventCountMax) {
      throw new EvidenceError("The file holds too many commits.", {
        expected: `at most ${changeLimits.eventCountMax} commits`,
      });
    }
  }
  return { contents: [{ kind: "changes", events: drafts.map(commitOf) }], notes: [] };
}

function draftOf(id: string, isMail: boolean): Draft {
  return {
    id,
    isMail,
    timeMicros: undefined,
    part: "header",
    message: [],
    files: new Set(),
    diff: [],
  };
}

function addLine(line: string, draft: Draft): void {
  const isDiffStart = /^diff --(?:git|cc|combined) /.test(line);
  if (isDiffStart) draft.part = "diff";
  switch (draft.part) {
    case "header":
      addHeader(line, draft);
      break;
    case "message":
      addMessage(line, draft);
      break;
    case "diff":
      addDiff(line, draft);
      break;
  }
}

function addHeader(line: string, draft: Draft): void {
  if (line === "") {
    draft.part = "message";
    if (draft.message.length > 0) draft.message.push("");
    return;
  }
  const date = /^(?:Author|Commit)?Date:\s+(.+)$/.exec(line);
  // The date of the commit stands below that of the author, and is the later one.
  if (date !== null) draft.timeMicros = timeOfDate(date[1] ?? "") ?? draft.timeMicros;
  const subject = /^Subject:\s*(?:\[PATCH[^\]]{0,64}\]\s*)?(.*)$/.exec(line);
  if (subject !== null) draft.message.push(subject[1] ?? "");
}

/** Dates of git: with the zone behind the year, as mail writes them, and in ISO's form. */
function timeOfDate(text: string): number | undefined {
  const zoned =
    /^([A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} [\d:]{8} \d{4}) ([+-])(\d{2})(\d{2})$/.exec(
      text.trim(),
    );
  if (zoned === null) return timeOfText(text.trim());
  const local = timeOfText(zoned[1] ?? "");
  if (local === undefined) return undefined;
  const minutes = Number(zoned[3]) * 60 + Number(zoned[4]);
  return Math.max(0, local - (zoned[2] === "-" ? -minutes : minutes) * 60e6);
}

function addMessage(line: string, draft: Draft): void {
  if (draft.isMail && line === "---") {
    draft.part = "diff";
    return;
  }
  const isText = draft.isMail || line.startsWith("    ") || line === "";
  if (isText) draft.message.push(draft.isMail ? line : line.slice(4));
  else addListed(line, draft);
}

/** Lines of `--stat`, `--name-only` and `--name-status`. */
function addListed(line: string, draft: Draft): void {
  const listed =
    /^ ?(\S.{0,1000}?)\s+\|\s+(?:\d+|Bin)\b/.exec(line) ??
    /^[ACDMRT]\d{0,3}\t(?:\S+\t)?(\S+)$/.exec(line) ??
    /^([\w.@-]+(?:\/[\w.@-]+)*\.\w+|[\w.@-]+(?:\/[\w.@-]+)+)$/.exec(line);
  if (listed !== null) addFile(listed[1] ?? "", draft);
}

function addDiff(line: string, draft: Draft): void {
  const named =
    /^\+\+\+ (?:b\/)?([^\t]+)/.exec(line) ?? /^diff --git \S+ (?:b\/)?(\S+)$/.exec(line);
  if (named !== null && named[1] !== "/dev/null") addFile(named[1] ?? "", draft);
  const isBeforeDiff = draft.diff.length === 0 && !/^(?:diff |--- |@@)/.test(line);
  if (isBeforeDiff) addListed(line, draft);
  else draft.diff.push(line);
}

function addFile(path: string, draft: Draft): void {
  if (path === "" || draft.files.size >= changeLimits.fileCountMax) return;
  draft.files.add(cutText(path.toWellFormed(), changeLimits.pathLengthMax));
}

function commitOf({ id, timeMicros, message, files, diff }: Draft): CommitChange {
  return {
    kind: "commit",
    id: cutText(id, 256),
    ...(timeMicros === undefined ? {} : { timeMicros }),
    message: cutText(message.join("\n").trim().toWellFormed(), changeLimits.messageLengthMax),
    files: [...files],
    ...diffFields(diff.join("\n").trimEnd()),
  };
}
