import * as fc from "fast-check";
import { expect, it } from "vitest";

import { type ListPlace, LiveList } from "./live-list.ts";

/** What happens while a member is visited: others leave, by their number, and new ones come. */
const visit = fc.record({
  leaving: fc.array(fc.nat({ max: 15 }), { maxLength: 4 }),
  comingCount: fc.nat({ max: 2 }),
});

it("visits whoever stays, and nobody who has left, whoever comes and goes meanwhile", () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 }), fc.array(visit, { maxLength: 12 }), (count, plan) => {
      const list = new LiveList<number>();
      const places = new Map<number, ListPlace>();
      const add = (): void => {
        places.set(places.size, list.add(places.size));
      };
      const gone = new Set<number>();
      for (let number = 0; number < count; number += 1) add();
      const visited: number[] = [];
      list.each((member) => {
        expect(gone).not.toContain(member);
        const { leaving, comingCount } = plan[visited.length] ?? { leaving: [], comingCount: 0 };
        visited.push(member);
        for (const number of leaving) {
          const place = places.get(number);
          if (place === undefined) continue;
          list.remove(place);
          gone.add(number);
        }
        for (let more = 0; more < comingCount; more += 1) add();
      });
      for (let number = 0; number < count; number += 1) {
        if (!gone.has(number)) expect(visited).toContain(number);
      }
      const left: number[] = [];
      list.each((member) => left.push(member));
      const staying = [...places.keys()].filter((number) => !gone.has(number));
      expect(left.sort((one, other) => one - other)).toEqual(staying);
      expect(list.size).toBe(staying.length);
    }),
    { numRuns: 1_000 },
  );
});
