/** Whether two turns say the same, however they are written. */

import type { TranscriptTurn } from "../../model/evidence.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";

/** Whether two turns are the same but for where they stand. */
export function sayTheSame(left: TranscriptTurn, right: TranscriptTurn | undefined): boolean {
  return right !== undefined && (left === right || essenceOf(left) === essenceOf(right));
}

/** What a turn says, as text that is equal for turns that say the same. */
export function essenceOf({ role, text, calls, results }: TranscriptTurn): string {
  return JSON.stringify([
    role,
    (text ?? "").trim(),
    calls.map(({ callId, name, arguments: given }) => [callId, name, asValue(given)]),
    results.map(({ callId, content }) => [callId, content]),
  ]);
}

/** Arguments come back as a value where they were sent as text. */
export function asValue(given: unknown): unknown {
  if (typeof given !== "string") return given;
  try {
    return parseForeignJson(given);
  } catch {
    // What is no JSON is compared as it stands.
    return given;
  }
}
