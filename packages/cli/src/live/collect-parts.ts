/**
 * Collects the parts of one source, a few at once, each with a deadline of its own: a part that stalls costs its own
 * time and is named, and the others are read.
 */

import { type Collecting, reasonOf, SourceFull } from "./live-source.ts";

/** How the parts of a source are asked for. */
export interface PartPlan<Part> {
  readonly atOnce: number;
  /** What one part may take, as a share of the source's own time. */
  readonly timeShare: number;
  /** For people, in what is said of a part that could not be read. */
  nameOf(part: Part): string;
  /** `within` aborts at the deadline of this part. */
  collect(part: Part, within: Collecting): Promise<void>;
  /** Nothing can be read of the other parts either. */
  isOfAll?(error: unknown): boolean;
}

/** Unread parts that are named one by one; of the others it is said how many they are. */
const namedCountMax = 5;

/** Throws only when the source as a whole is at its end; what was not read by then is named. */
export async function collectParts<Part>(
  parts: readonly Part[],
  plan: PartPlan<Part>,
  collecting: Collecting,
): Promise<void> {
  const waiting = [...parts.entries()];
  const outcomes = new Map<number, Outcome>();
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      outcomes.set(next[0], await collectPart(next[1], plan, collecting));
    }
  };
  try {
    await Promise.all(Array.from({ length: plan.atOnce }, work));
    nameMissed(parts, { plan, outcomes }, collecting);
  } catch (error) {
    // Of a system that gave no part at all in its time, the source says so once.
    if ([...outcomes.values()].some(({ kind }) => kind !== "late")) {
      nameMissed(parts, { plan, outcomes }, collecting);
      nameUnread(
        parts.filter((_, at) => !outcomes.has(at)),
        plan,
        collecting,
      );
    }
    throw error;
  }
}

type Outcome =
  | { readonly kind: "read" }
  | { readonly kind: "late" | "failed"; readonly why: string };

async function collectPart<Part>(
  part: Part,
  plan: PartPlan<Part>,
  collecting: Collecting,
): Promise<Outcome> {
  const durationMs = Math.ceil(collecting.durationMs * plan.timeShare);
  const signal = collecting.deadline(durationMs);
  try {
    await plan.collect(part, { ...collecting, signal });
    return { kind: "read" };
  } catch (error) {
    const isOfAll = collecting.signal.aborted || error instanceof SourceFull;
    if (isOfAll || plan.isOfAll?.(error) === true) throw error;
    if (!signal.aborted) return { kind: "failed", why: reasonOf(error) };
    const seconds = durationMs / 1_000;
    return {
      kind: "late",
      why: `It took longer than ${seconds} s; a longer --source-timeout gives each part more.`,
    };
  }
}

/** In the order of the parts, whatever came first. */
function nameMissed<Part>(
  parts: readonly Part[],
  { plan, outcomes }: { plan: PartPlan<Part>; outcomes: ReadonlyMap<number, Outcome> },
  collecting: Collecting,
): void {
  for (const [at, part] of parts.entries()) {
    const outcome = outcomes.get(at);
    if (outcome === undefined || outcome.kind === "read") continue;
    collecting.miss(plan.nameOf(part), outcome.why);
  }
}

function nameUnread<Part>(
  unread: readonly Part[],
  plan: PartPlan<Part>,
  collecting: Collecting,
): void {
  const names = unread.slice(0, namedCountMax).map((part) => plan.nameOf(part));
  const moreCount = unread.length - names.length;
  const what = names.join(", ") + (moreCount > 0 ? ` and ${moreCount} more` : "");
  collecting.miss(what, "It was not read any more.");
}
