/** Which fault of a simulation of regions met which state. */

export const regionFaults = [
  "partition",
  "long partition",
  "one-way cut",
  "message lost",
  "message doubled",
  "message late",
  "region killed",
  "home killed",
  "database away",
  "commit uncertain",
  "clock off",
  "use over-reported",
  "use sent twice",
  "edits concurrent",
  "escrow recalled",
] as const;
export type RegionFault = (typeof regionFaults)[number];

export const regionStates = [
  "no escrow",
  "idle",
  "borrowing",
  "reporting",
  "returning",
  "cut off",
  "cut off, used up",
  "holds open",
  "debt",
  "conflict",
] as const;
export type RegionState = (typeof regionStates)[number];

export class FaultTable {
  readonly #counts = new Map<string, number>();

  /** A fault happened while a region was in these states. */
  note(fault: RegionFault, states: readonly RegionState[]): void {
    for (const state of ["all", ...states]) this.#add(`${fault}/${state}`, 1);
  }

  /** Adds what another one counted. */
  add(other: FaultTable): void {
    for (const [key, count] of other.#counts) this.#add(key, count);
  }

  /** The table of fault by state. */
  text(): string {
    const width = Math.max(...regionFaults.map((fault) => fault.length));
    const head = ["all", ...regionStates].map((state) => state.padStart(7));
    const rows = regionFaults.map((fault) => {
      const cells = ["all", ...regionStates].map((state, index) =>
        String(this.#counts.get(`${fault}/${state}`) ?? 0).padStart(head[index]?.length ?? 0),
      );
      return `${fault.padEnd(width)}  ${cells.join("  ")}`;
    });
    return [`${"".padEnd(width)}  ${head.join("  ")}`, ...rows].join("\n");
  }

  #add(key: string, count: number): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }
}
