/** What processes held over several listings. */

import type { EvidenceId } from "../model/evidence.ts";
import type { HeldResource, ResourcesContent } from "../model/resources.ts";
import { evidenceOfKind, type EvidenceOf, type Snapshot } from "../model/snapshot.ts";
import { seriesOf } from "./series.ts";

export interface Listing {
  readonly evidenceId: EvidenceId;
  readonly content: ResourcesContent;
  readonly held: ReadonlyMap<string, HeldResource>;
}

export interface ResourceSeries {
  readonly name: string;
  readonly of: ResourcesContent["of"];
  readonly listings: readonly Listing[];
  readonly minutes: readonly number[] | undefined;
  /** Where nobody tells the order, each listing stands alone. */
  readonly isOrdered: boolean;
}

/** The series of a snapshot, each of one sort of listing. */
export function resourceSeriesOf(snapshot: Snapshot): ResourceSeries[] {
  const bySort = Map.groupBy(evidenceOfKind(snapshot, "resources"), ({ content }) => content.of);
  return (["descriptors", "sockets", "handles", "heap"] as const).flatMap((of) =>
    seriesOf(
      (bySort.get(of) ?? []).map((item) => ({ item, recording: item.content.recording })),
    ).flatMap(({ name, items, isOrdered, minutes }): ResourceSeries[] => {
      const listings = items.map(({ item }) => listingOf(item));
      if (isOrdered) return [{ name, of, listings, minutes, isOrdered }];
      return listings.map((listing) => ({
        name: `${name} ${listing.evidenceId.slice(7, 15)}`,
        of,
        listings: [listing],
        minutes: undefined,
        isOrdered,
      }));
    }),
  );
}

function listingOf({ id, content }: EvidenceOf<"resources">): Listing {
  const held = new Map<string, HeldResource>();
  for (const thing of content.held) {
    held.set(`${thing.type}\n${thing.target ?? ""}\n${thing.state ?? ""}`, thing);
  }
  return { evidenceId: id, content, held };
}

/** `CLOSE-WAIT tcp to 10.0.0.9:5432`, as a person reads it. */
export function thingWords({ type, target, state }: HeldResource): string {
  const what = state === undefined ? type : `${state} ${type}`;
  if (target === undefined) return what;
  return `${what} ${type === "file" || type === "device" || target.endsWith("(served)") ? "at" : "to"} ${target}`;
}
