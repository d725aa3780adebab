/** What makes two findings of different runs the same finding. */

import type { Finding } from "../model/finding.ts";

/** Stable over runs: contract, subject and words, without the numbers that change from one run to the next. */
export function fingerprintOf({ contract, subject, title }: Finding): string {
  const words = title.replaceAll(/\d+(?:[.,]\d+)*/g, "#");
  return `${contract}:${subject.kind}:${subject.name}:${words}`;
}
