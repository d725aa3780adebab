/** Which fault met which state. */

export const faults = [
  "worker killed",
  "worker stopped",
  "worker usurped",
  "journal lost",
  "ledger killed",
  "ledger replaced",
  "database away",
  "commit uncertain",
  "message lost",
  "message doubled",
  "message late",
  "clock off",
  "use over-reported",
] as const;
export type Fault = (typeof faults)[number];

export const situations = [
  "no lease",
  "lease",
  "operation open",
  "report under way",
  "hold under way",
  "lease ending",
  "little credit",
  "debt",
  "recovery",
] as const;
export type Situation = (typeof situations)[number];

export class Coverage {
  readonly #counts = new Map<string, number>();
  readonly #faultCounts = new Map<Fault, number>();

  /** A fault happened while these states held. */
  note(fault: Fault, states: readonly Situation[]): void {
    this.#faultCounts.set(fault, (this.#faultCounts.get(fault) ?? 0) + 1);
    for (const state of states) {
      const key = `${fault}/${state}`;
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
  }

  /** Adds what another one counted. */
  add(other: Coverage): void {
    for (const [fault, count] of other.#faultCounts)
      this.#faultCounts.set(fault, (this.#faultCounts.get(fault) ?? 0) + count);
    for (const [key, count] of other.#counts)
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  /** How often a fault happened. */
  countOf(fault: Fault): number {
    return this.#faultCounts.get(fault) ?? 0;
  }

  /** The table of fault by state. */
  table(): string {
    const width = Math.max(...faults.map((fault) => fault.length));
    const head = ["all", ...situations];
    const rows = faults.map((fault) => {
      const cells = [
        this.countOf(fault),
        ...situations.map((state) => this.#counts.get(`${fault}/${state}`) ?? 0),
      ];
      const text = cells.map((cell, index) => String(cell).padStart(head[index]?.length ?? 0));
      return `${fault.padEnd(width)}  ${text.join("  ")}`;
    });
    return [`${"".padEnd(width)}  ${head.join("  ")}`, ...rows].join("\n");
  }
}
