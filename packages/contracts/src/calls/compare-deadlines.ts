/** Compares, within a trace, each timeout with the deadlines above it. */

import { mark } from "../traces/marks.ts";
import { endMicrosOf, noParent, type Trace } from "../traces/trace.ts";
import { kindOf } from "../traces/vendor-span.ts";
import { ClockSkew } from "./clock-skew.ts";
import { type Deadline, deadlineOf } from "./deadline.ts";
import { type Edge, edgeOf, isCall } from "./edge.ts";
import { lookUpwards } from "./look-upwards.ts";
import { isDetached } from "./sync-work.ts";

export interface DeadlineOptions {
  readonly toleranceMillis: number;
  readonly toleranceShare: number;
}

/** A call that meets the deadline of a span above it. */
export interface Meeting {
  readonly kind: "fits" | "exceeds" | "starts-late" | "sum-exceeds";
  readonly trace: Trace;
  readonly index: number;
  readonly edge: Edge;
  /** The span above that has the deadline. */
  readonly caller: number;
  readonly deadline: Deadline;
  readonly own: Deadline | undefined;
  readonly plannedMicros: number;
  readonly remainingMicros: number;
  readonly excessMicros: number;
  readonly words: string;
}

/** A deadline as seen from a span further down, on that span's clock. */
interface Inherited {
  readonly owner: number;
  readonly deadline: Deadline;
  /** The latest that it can be on the clock of the span below. */
  readonly endMicros: number;
}

/** All meetings of a trace, in the order of the calls' start. */
export function compareDeadlines(trace: Trace, options: DeadlineOptions): Meeting[] {
  if (!trace.hasMarks(mark.deadline | mark.event | mark.failedStatus)) return [];
  const own = new Map<number, Deadline>();
  for (let index = 0; index < trace.spans.length; index += 1) {
    const mayHave = (trace.marksOf(index) & (mark.deadline | mark.event)) !== 0;
    const deadline = mayHave ? deadlineOf(trace, index) : undefined;
    if (deadline !== undefined) own.set(index, deadline);
  }
  if (own.size === 0) return [];
  return new Comparison(trace, own, options).meetings();
}

class Comparison {
  readonly #trace: Trace;
  readonly #own: ReadonlyMap<number, Deadline>;
  readonly #options: DeadlineOptions;
  readonly #skew: ClockSkew;
  readonly #meetings: Meeting[] = [];

  constructor(trace: Trace, own: ReadonlyMap<number, Deadline>, options: DeadlineOptions) {
    this.#trace = trace;
    this.#own = own;
    this.#options = options;
    this.#skew = new ClockSkew(trace);
  }

  meetings(): Meeting[] {
    const trace = this.#trace;
    const isBelowOwner = lookUpwards(trace, (index) => {
      if (isDetached(trace, index)) return false;
      return this.#own.has(trace.parents[index] ?? noParent) ? true : undefined;
    });
    for (const owner of this.#own.keys()) if (!isBelowOwner(owner)) this.#descend(owner);
    this.#compareSums();
    return this.#meetings.sort((left, right) => left.index - right.index);
  }

  #descend(owner: number): void {
    const deadline = this.#own.get(owner);
    if (deadline === undefined) return;
    const waiting: { index: number; inherited: Inherited }[] = [
      { index: owner, inherited: { owner, deadline, endMicros: deadline.endMicros } },
    ];
    for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
      for (const child of this.#trace.children(step.index)) {
        // Nobody waits for it: what deadlines it has begin anew.
        if (isDetached(this.#trace, child)) continue;
        const seen = this.#onClockOf(step.index, child, step.inherited);
        waiting.push({ index: child, inherited: this.#meet(child, seen) });
      }
    }
  }

  /** Clocks that differ may make the deadline look earlier than it is: it is moved as late as it can be. */
  #onClockOf(parent: number, child: number, inherited: Inherited): Inherited {
    const shift = this.#skew.leastShiftMicros(this.#trace.span(parent), this.#trace.span(child));
    return { ...inherited, endMicros: inherited.endMicros - shift };
  }

  #meet(index: number, inherited: Inherited): Inherited {
    const own = this.#own.get(index);
    const span = this.#trace.span(index);
    const remainingMicros = inherited.endMicros - span.startMicros;
    const tolerance = this.#toleranceOf(inherited.deadline);
    const crosses =
      isCall(this.#trace, index) || kindOf(span, this.#trace.marksOf(index)) === "server";
    if (crosses && remainingMicros < -tolerance) {
      this.#note(index, inherited, { kind: "starts-late", own, excessMicros: -remainingMicros });
      return inherited;
    }
    if (own === undefined) return inherited;
    const tighter =
      own.endMicros < inherited.endMicros
        ? { owner: index, deadline: own, endMicros: own.endMicros }
        : inherited;
    // What a function may take binds the calls below it, and nobody else.
    if (!crosses) return tighter;
    const excessMicros = own.timeoutMicros - remainingMicros;
    const kind = excessMicros > tolerance ? "exceeds" : "fits";
    this.#note(index, inherited, { kind, own, excessMicros });
    return tighter;
  }

  #toleranceOf({ timeoutMicros }: Deadline): number {
    const { toleranceMillis, toleranceShare } = this.#options;
    return Math.max(toleranceMillis * 1_000, toleranceShare * timeoutMicros);
  }

  #note(
    index: number,
    { owner, deadline, endMicros }: Inherited,
    { kind, own, excessMicros }: Pick<Meeting, "kind" | "own" | "excessMicros">,
  ): void {
    const trace = this.#trace;
    const span = trace.span(index);
    const remainingMicros = endMicros - span.startMicros;
    const above = trace.span(owner);
    const remains = `${Math.round(remainingMicros / 1_000)} ms of ${deadline.words} of ${above.service} ${above.name} remain`;
    this.#meetings.push({
      kind,
      trace,
      index,
      edge: this.#edgeOf(index),
      caller: owner,
      deadline,
      own,
      plannedMicros: own?.timeoutMicros ?? 0,
      remainingMicros,
      excessMicros,
      words: own === undefined ? remains : `${own.words} where ${remains}`,
    });
  }

  /** The call of a span: its own, or the one that brought a server's request. */
  #edgeOf(index: number): Edge {
    const parent = this.#trace.parents[index] ?? noParent;
    const isServer = !isCall(this.#trace, index) && parent >= 0 && isCall(this.#trace, parent);
    return edgeOf(this.#trace, isServer ? parent : index);
  }

  /** Calls one after another under one deadline whose equal timeouts sum up to more than there is. */
  #compareSums(): void {
    const fitting = this.#meetings.filter(({ kind }) => kind === "fits");
    const byCaller = new Map<string, Meeting[]>();
    for (const meeting of fitting) {
      const parent = this.#trace.parents[meeting.index] ?? noParent;
      const key = `${meeting.caller} ${parent}`;
      const list = byCaller.get(key);
      if (list === undefined) byCaller.set(key, [meeting]);
      else list.push(meeting);
    }
    for (const list of byCaller.values()) this.#compareSum(list);
  }

  #compareSum(meetings: readonly Meeting[]): void {
    const [first] = meetings;
    if (first === undefined || meetings.length < 2) return;
    const spans = meetings.map(({ index }) => this.#trace.span(index));
    const follow = spans.every(
      (span, position) => position === 0 || endOf(spans[position - 1]) <= span.startMicros + 1_000,
    );
    // Who hands on what remains gives each call less than the one before.
    const areFixed = meetings.every(
      ({ own }, position) =>
        position === 0 ||
        (own?.timeoutMicros ?? 0) >= (meetings[position - 1]?.own?.timeoutMicros ?? 0),
    );
    const plannedMicros = meetings.reduce((sum, { own }) => sum + (own?.timeoutMicros ?? 0), 0);
    const excessMicros = plannedMicros - first.remainingMicros;
    if (!follow || !areFixed || excessMicros <= this.#toleranceOf(first.deadline)) return;
    for (const meeting of meetings) {
      this.#meetings.push({
        ...meeting,
        kind: "sum-exceeds",
        plannedMicros,
        remainingMicros: first.remainingMicros,
        excessMicros,
      });
    }
  }
}

function endOf(span: Parameters<typeof endMicrosOf>[0] | undefined): number {
  return span === undefined ? 0 : endMicrosOf(span);
}
