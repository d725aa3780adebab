/** Transcripts of two versions, told apart by what their files or folders are called. */

import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../../model/snapshot.ts";
import { compareText } from "../../text/compare-text.ts";
import { compareVersions } from "../canary/choose-arms.ts";
import { roleOfRun } from "../evaluations/arms.ts";

export type Transcript = EvidenceOf<"transcript">;

export interface TranscriptSide {
  /** What the files or the folder are called. */
  readonly name: string;
  readonly transcripts: readonly Transcript[];
}

export interface TranscriptSides {
  readonly baseline: TranscriptSide;
  readonly candidate: TranscriptSide;
}

/**
 * The older and the newer population; nothing where no name tells of two. Words of the trade (`baseline`, `candidate`) are
 * looked for in the whole path; else there must be two folders, or two files, of two versions.
 */
export function sidesOf(snapshot: Snapshot): TranscriptSides | undefined {
  const all = evidenceOfKind(snapshot, "transcript").toSorted((left, right) =>
    compareText(left.id, right.id),
  );
  const shared = sharedFolderLength(all.map(({ source }) => source.name));
  const byRole = Map.groupBy(all, ({ source }) => roleOfRun(source.name.slice(shared)));
  const [older = [], newer = []] = [byRole.get(-1), byRole.get(1)];
  if (older.length > 0 && newer.length > 0) {
    return { baseline: sideOf(older), candidate: sideOf(newer) };
  }
  return sidesAmong(all, folderOf) ?? sidesAmong(all, ({ source }) => source.name);
}

/** Characters of the folders in which all of them lie: those tell none from another. */
function sharedFolderLength([first = "", ...others]: readonly string[]): number {
  const folders = first.split("/").slice(0, -1);
  let length = 0;
  for (const folder of folders) {
    const next = length + folder.length + 1;
    if (!others.every((name) => name.startsWith(first.slice(0, next)))) break;
    length = next;
  }
  return length;
}

function sidesAmong(
  all: readonly Transcript[],
  nameOf: (transcript: Transcript) => string,
): TranscriptSides | undefined {
  const groups = [...Map.groupBy(all, nameOf)];
  const [first, second, ...others] = groups;
  if (first === undefined || second === undefined || others.length > 0) return undefined;
  const order = compareVersions(first[0], second[0]);
  if (order === 0) return undefined;
  const [older, newer] = order < 0 ? [first, second] : [second, first];
  return {
    baseline: { name: older[0], transcripts: older[1] },
    candidate: { name: newer[0], transcripts: newer[1] },
  };
}

/** The innermost name that all of a side share: their folder, or their one file. */
function sideOf(transcripts: readonly Transcript[]): TranscriptSide {
  const files = new Set(transcripts.map(({ source }) => source.name));
  const folders = new Set(transcripts.map(folderOf));
  const name = files.size === 1 ? [...files][0] : [...folders].sort(compareText)[0];
  return { name: name ?? "", transcripts };
}

function folderOf({ source }: Transcript): string {
  return source.name.split("/").slice(0, -1).join("/");
}
