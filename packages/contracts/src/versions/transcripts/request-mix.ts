/** Whether two populations of transcripts got the same requests, so that a difference is one of the versions. */

import { requestOf } from "./features.ts";
import type { Transcript, TranscriptSides } from "./sides.ts";

/**
 * The share of the requests of one side that would have to be others for both sides to have the same, as often: 0 where
 * the mix is the same, 1 where no request is in both. A transcript without a request has one of its own.
 */
export function mixDistance({ baseline, candidate }: TranscriptSides): number {
  const [first, second] = [sharesOf(baseline.transcripts), sharesOf(candidate.transcripts)];
  let shared = 0;
  for (const [request, share] of first) shared += Math.min(share, second.get(request) ?? 0);
  return 1 - shared;
}

function sharesOf(transcripts: readonly Transcript[]): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const transcript of transcripts) {
    const request = requestOf(transcript);
    if (request === "") continue;
    shares.set(request, (shares.get(request) ?? 0) + 1 / transcripts.length);
  }
  return shares;
}
