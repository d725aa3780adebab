/** Logs of Inspect as it keeps them: a zip archive with a document about the run and one for each sample. */

import { type Fields, isFields } from "../../model/fields.ts";
import { EntryExpander } from "../archive/expand-entry.ts";
import { firstEntryName, type ZipEntry, zipEntriesOf } from "../archive/zip-directory.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FormatInput } from "../format.ts";
import { decodeText, parseJson } from "../text.ts";
import { quoteBareNumbers } from "../training/bare-numbers.ts";
import { evaluationLimits } from "./limits.ts";

/** Inspect writes the beginning of its journal first, and the header last. */
const ownNames = /^(?:_journal\/|samples\/|header\.json$|summaries\.json$|reductions\.json$)/;
const samplePath = /^samples\/[^/]+\.json$/;
const journalPath = /^_journal\/summaries\/\d{1,9}\.json$/;

/** Whether an archive begins as one of Inspect does. */
export function looksLikeInspectArchive({ bytes }: FormatInput): boolean {
  return ownNames.test(firstEntryName(bytes) ?? "");
}

/** What an archive holds, in the form of the log as one document. */
export interface InspectLog {
  readonly document: Fields;
  readonly notes: readonly string[];
}

/**
 * The log of an archive. Where the samples are more than may be expanded, their scores are taken from the summaries, and
 * the conversations are left out, which is said.
 */
export function readInspectArchive({ bytes, expandZstd }: FormatInput): InspectLog {
  // An entry that was written again stands further on.
  const entries = new Map(zipEntriesOf(bytes).map((entry) => [entry.name, entry]));
  const limits = {
    entryBytesMax: evaluationLimits.entryBytesMax,
    totalBytesMax: evaluationLimits.expandedBytesMax,
  };
  const expander = new EntryExpander(bytes, limits, expandZstd);
  const read = (entry: ZipEntry): unknown => documentOf(entry, expander);
  const header = entries.get("header.json") ?? entries.get("_journal/start.json");
  if (header === undefined) {
    throw new EvidenceError("The archive has no header, so it is no log of Inspect.", {
      expected: "an entry named header.json",
    });
  }
  const about = read(header);
  const samples = [...entries.values()].filter(({ name }) => samplePath.test(name));
  const areInBounds = samples.every(({ sizeBytes }) => sizeBytes <= limits.entryBytesMax);
  const sizeBytes = samples.reduce((sum, entry) => sum + entry.sizeBytes, header.sizeBytes);
  const areRead = areInBounds && sizeBytes <= limits.totalBytesMax && samples.length > 0;
  const summaries = areRead ? [] : summaryEntries(entries);
  const all = areRead ? samples.map(read) : summaries.flatMap((entry) => listOf(read(entry)));
  return {
    document: { ...(isFields(about) ? about : {}), samples: all.filter(isFields).map(keptOf) },
    notes: [
      ...(entries.has("header.json") ? [] : ["The run had not ended when the log was written."]),
      ...(areRead || samples.length === 0
        ? []
        : ["The samples are too large to be read: scores are those of the summaries."]),
    ],
  };
}

/** The summaries of all samples, or those of the journal of a run that did not end. */
function summaryEntries(entries: ReadonlyMap<string, ZipEntry>): readonly ZipEntry[] {
  const whole = entries.get("summaries.json");
  if (whole !== undefined) return [whole];
  return [...entries.values()].filter(({ name }) => journalPath.test(name));
}

function documentOf(entry: ZipEntry, expander: EntryExpander): unknown {
  const content = expander.expand(entry);
  try {
    return parseJson(quoteBareNumbers(decodeText(content)));
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    const { message, expected, where } = error;
    const place = where === undefined ? entry.name : `${entry.name}, ${where}`;
    throw new EvidenceError(message, { expected, where: place, cause: error });
  }
}

/** Of a sample what is looked at; its events, which are most of it, are let go. */
function keptOf({ id, epoch, scores, error, messages }: Fields): Fields {
  return { id, epoch, scores, error: isFields(error) ? error : { message: error }, messages };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
