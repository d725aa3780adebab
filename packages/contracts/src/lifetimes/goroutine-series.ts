/** Sites of goroutines over the recordings of one process. */

import type { EvidenceId } from "../model/evidence.ts";
import type { GoroutinesContent } from "../model/goroutines.ts";
import { evidenceOfKind, type EvidenceOf, type Snapshot } from "../model/snapshot.ts";
import { isOfModule, isStandard } from "./go-function.ts";
import { familyOf, isActive, type Site, sitesOf } from "./goroutine-site.ts";
import { seriesOf } from "./series.ts";

/** One recording, with its sites. */
export interface Moment {
  readonly evidenceId: EvidenceId;
  readonly content: GoroutinesContent;
  readonly sites: ReadonlyMap<string, Site>;
  /** Goroutines that serve a request. */
  readonly requestCount: number;
  /** Goroutines that show that work is going on, those included. */
  readonly activeCount: number;
  /** Goroutines that began in the same way, at whatever site. */
  readonly families: ReadonlyMap<string, number>;
}

export interface GoroutineSeries {
  readonly name: string;
  /** In the order in which they were taken; a single one where nobody tells the order. */
  readonly moments: readonly Moment[];
  /** Minutes since the first recording. */
  readonly minutes: readonly number[] | undefined;
  /** Why recordings of this series were not compared. */
  readonly notCompared: string | undefined;
}

/** The series of a snapshot. Forms are kept apart, because they tell different things of the same goroutines. */
export function goroutineSeriesOf(snapshot: Snapshot): GoroutineSeries[] {
  const pieces = evidenceOfKind(snapshot, "goroutines");
  const byForm = Map.groupBy(pieces, ({ content }) => content.form);
  const list = (["leaks", "dump", "profile"] as const).flatMap((form) =>
    seriesOf(
      (byForm.get(form) ?? []).map((item) => ({
        item,
        recording: item.content.recording,
        age: item.content.idMax,
      })),
    ),
  );
  return list.flatMap(({ name, items, isOrdered, minutes }): GoroutineSeries[] => {
    const moments = items.map(({ item }) => momentOf(item));
    if (isOrdered && isOneProgram(moments)) {
      return [{ name, moments, minutes, notCompared: undefined }];
    }
    const notCompared = isOrdered
      ? "The recordings are of different programs."
      : "Nothing tells in which order the recordings were taken: a time in the profile, or a number or a time in the name of the file.";
    return moments.map((moment) => ({
      name: moments.length === 1 ? name : `${name} ${moment.evidenceId.slice(7, 15)}`,
      moments: [moment],
      minutes: undefined,
      notCompared,
    }));
  });
}

function momentOf({ id, content }: EvidenceOf<"goroutines">): Moment {
  const sites = sitesOf(content);
  let [requestCount, activeCount] = [0, 0];
  const families = new Map<string, number>();
  for (const site of sites.values()) {
    const family = familyOf(site);
    families.set(family, (families.get(family) ?? 0) + site.count);
    if (site.role === "request") requestCount += site.count;
    if (isActive(site)) activeCount += site.count;
  }
  return { evidenceId: id, content, sites, requestCount, activeCount, families };
}

/** Recordings of one program have files of its own in common. */
function isOneProgram(moments: readonly Moment[]): boolean {
  let before: ReadonlySet<string> | undefined;
  for (const { content } of moments) {
    const files = new Set(
      content.frames
        .filter((frame) => !isStandard(frame.function) && !isOfModule(frame.file))
        .flatMap((frame) => (frame.file === undefined ? [] : [frame.file])),
    );
    if (files.size === 0) continue;
    if (before !== undefined && before.isDisjointFrom(files)) return false;
    before = files;
  }
  return true;
}
