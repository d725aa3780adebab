/** A commit, a deploy or a flag from a record of JSON. */

import type { ChangeEvent, CommitChange } from "../../model/changes.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { textOf } from "../loose-value.ts";
import { fieldNames, momentOf, optional, wordsAt } from "./change-names.ts";
import { changeLimits } from "./limits.ts";

/** What list a record stands in, where its name says so. */
export type ListName = "commits" | "deploys" | "flags" | "alerts" | "statuses" | "patterns";

const commitHash = /^[0-9a-f]{7,64}$/i;

/** The change that a record tells of, or nothing when it is none. */
export function changeOf(record: Fields, list?: ListName): ChangeEvent | undefined {
  if (isLogRecord(record)) return undefined;
  if (list === "flags" || fieldNames.flag.firstText(record) !== undefined) return flagOf(record);
  return commitOf(record, list) ?? deployOf(record, list);
}

function isLogRecord(record: Fields): boolean {
  const hasLevel = ["level", "severity", "severity_text", "log.level"].some(
    (name) => record[name] !== undefined,
  );
  const isSpan = record["span_id"] !== undefined || record["spanId"] !== undefined;
  return isSpan || (hasLevel && (record["msg"] !== undefined || record["message"] !== undefined));
}

function commitOf(record: Fields, list: ListName | undefined): CommitChange | undefined {
  const id = fieldNames.commitId.firstText(record);
  const message = fieldNames.message.firstText(record);
  const files = filesOf(record);
  const diff = diffOf(record);
  const isHash = id !== undefined && (commitHash.test(id) || list === "commits");
  const hasContent = files.length > 0 || diff !== undefined;
  const isDeploy = list === "deploys" || (deployMarks(record) && !hasContent);
  if (!isHash || message === undefined || isDeploy) return undefined;
  if (!hasContent && momentOf(record) === undefined) return undefined;
  const body = fieldNames.body.firstText(record);
  return {
    kind: "commit",
    id: cutText(id, 256),
    ...optional("timeMicros", momentOf(record)),
    message: cutText(
      body === undefined ? message : `${message}\n\n${body}`,
      changeLimits.messageLengthMax,
    ),
    files,
    ...diffFields(diff),
  };
}

function deployMarks(record: Fields): boolean {
  return (
    fieldNames.service.firstText(record) !== undefined &&
    fieldNames.version.firstText(record) !== undefined
  );
}

/** The diff within its bound, and whether it was cut. */
export function diffFields(diff: string | undefined): Pick<CommitChange, "diff" | "isDiffCut"> {
  if (diff === undefined || diff === "") return {};
  const kept = cutText(diff.toWellFormed(), changeLimits.diffLengthMax);
  return kept.length < diff.length ? { diff: kept, isDiffCut: true } : { diff: kept };
}

function deployOf(record: Fields, list: ListName | undefined): ChangeEvent | undefined {
  const service =
    wordsAt(record, fieldNames.service, 256) ??
    (list === "deploys" ? textOf(record["name"]).slice(0, 256) : "");
  const version = wordsAt(record, fieldNames.version, 256);
  const commit = wordsAt(record, fieldNames.deployedCommit, 256);
  const time = momentOf(record);
  const isNamed = list === "deploys";
  if (time === undefined || (version === undefined && commit === undefined && !isNamed))
    return undefined;
  if (!isNamed && (service === "" || commit === undefined)) return undefined;
  return {
    kind: "deploy",
    timeMicros: time,
    ...optional("service", service === "" ? undefined : service),
    ...optional("version", version),
    ...optional("commit", commit),
    ...optional("description", wordsAt(record, fieldNames.message, 4_096)),
  };
}

function flagOf(record: Fields): ChangeEvent | undefined {
  const name =
    wordsAt(record, fieldNames.flag, 512) ??
    ["key", "name", "id"].map((field) => textOf(record[field])).find((text) => text !== "");
  if (name === undefined) return undefined;
  const change = wordsAt(record, fieldNames.change, 2_048);
  const [before, after] = change?.split(/\s*(?:->|→|=>|\bto\b)\s*/, 2) ?? [];
  return {
    kind: "flag",
    ...optional("timeMicros", momentOf(record)),
    name: cutText(name, 512),
    ...optional("service", wordsAt(record, fieldNames.service, 256)),
    ...optional("before", cut(before) ?? wordsAt(record, fieldNames.before, 1_024)),
    ...optional("after", cut(after) ?? wordsAt(record, fieldNames.after, 1_024)),
    ...optional("description", wordsAt(record, fieldNames.message, 4_096)),
  };
}

function cut(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : cutText(text, 1_024);
}

/** Paths, also where each file is a record. */
function filesOf(record: Fields): string[] {
  const list = fieldNames.files.first(record);
  if (!Array.isArray(list)) return [];
  const items: unknown[] = list.slice(0, changeLimits.fileCountMax);
  return items
    .map((item) => (isFields(item) ? pathOf(item) : textOf(item)))
    .filter((path) => path !== "")
    .map((path) => cutText(path.toWellFormed(), changeLimits.pathLengthMax));
}

function pathOf(file: Fields): string {
  return textOf(file["filename"] ?? file["new_path"] ?? file["path"] ?? file["name"]);
}

/** The diff of a commit: one text, or one for each file. */
function diffOf(record: Fields): string | undefined {
  const whole = fieldNames.diff.first(record);
  if (typeof whole === "string" && whole !== "") return whole;
  const list = Array.isArray(whole) ? whole : fieldNames.files.first(record);
  if (!Array.isArray(list)) return undefined;
  const items: unknown[] = list.slice(0, changeLimits.fileCountMax);
  const parts = items.filter(isFields).flatMap((file) => {
    const patch = file["patch"] ?? file["diff"];
    if (typeof patch !== "string" || patch === "") return [];
    const path = pathOf(file);
    return [patch.startsWith("--- ") ? patch : `--- a/${path}\n+++ b/${path}\n${patch}`];
  });
  return parts.length === 0 ? undefined : parts.join("\n");
}
