/** Calls and results belong together: each result answers one call, and each call is answered before the talk goes on. */

import type { ToolCall, ToolResult } from "../model/evidence.ts";
import type { Turn } from "./conversation/conversation.ts";
import type { Fault } from "./fault.ts";

interface OpenCall {
  readonly call: ToolCall;
  readonly turn: Turn;
  /** Calls that were made before any result came in between have one number. */
  readonly batch: number;
  isAnswered: boolean;
  isReported: boolean;
}

/** The faults of pairing in one conversation. It may begin with results, and end before its last calls are answered. */
export function pairingFaults(turns: readonly Turn[]): Fault[] {
  const pairing = new Pairing(turns);
  for (const turn of turns) pairing.take(turn);
  return [...pairing.faults, ...pairing.lost()];
}

class Pairing {
  readonly faults: Fault[] = [];
  /** The latest call of each id. */
  readonly #byId = new Map<string, OpenCall>();
  readonly #calls: OpenCall[] = [];
  /** The ids of all calls, before and after. */
  readonly #called: ReadonlySet<string>;
  /** An assistant's turn was not read whole, so it may have made the call that a result answers. */
  #hasUnreadCalls = false;
  #open: OpenCall[] = [];
  /** Answers since the open calls were last gone through. */
  #answeredCount = 0;
  #batch = 0;
  /** Nothing but instructions and results came so far: the conversation may have begun earlier. */
  #isBeginning = true;
  /** The latest turn that is no result. */
  #speaker: Turn | undefined;

  constructor(turns: readonly Turn[]) {
    this.#called = new Set(
      turns.flatMap((turn) => turn.calls.flatMap(({ callId }) => callId ?? [])),
    );
  }

  take(turn: Turn): void {
    const { role, results, calls, text } = turn;
    if (role === "assistant" && turn.isPartlyRead === true) this.#hasUnreadCalls = true;
    // Providers' own tools, and what user interfaces keep, have call and result in one turn.
    const hasOwnResults = role === "assistant" && calls.length > 0;
    if (!hasOwnResults) for (const result of results) this.#answer(result, turn);
    if (results.length > 0) this.#batch += 1;
    else if (role !== "system") this.#isBeginning = false;
    const talksOn = role === "user" || role === "assistant";
    // Calls and results of one conversation may come as items of their own, so more calls do not end the wait.
    const isMoreCalls = role === "assistant" && calls.length > 0 && text === undefined;
    if (talksOn && results.length === 0 && !isMoreCalls) {
      for (const item of this.#open)
        if (!item.isAnswered && !item.isReported) this.#unanswered(item);
      this.#open = [];
    }
    if (role !== "tool" && (results.length === 0 || hasOwnResults)) this.#speaker = turn;
    for (const call of calls) this.#add(call, turn);
    if (hasOwnResults) for (const result of results) this.#answer(result, turn);
    this.#dropAnswered();
  }

  /** Of many open calls the answered ones go together, so that the work stays in proportion to their number. */
  #dropAnswered(): void {
    if (this.#answeredCount * 2 < this.#open.length) return;
    this.#open = this.#open.filter((item) => !item.isAnswered);
    this.#answeredCount = 0;
  }

  /** Calls that never got a result although calls after them did. */
  lost(): Fault[] {
    const answered = this.#calls.findLast((item) => item.isAnswered);
    if (answered === undefined) return [];
    return this.#calls
      .filter((item) => !item.isAnswered && !item.isReported && item.batch < answered.batch)
      .map(({ call, turn }) => unanswered(call, turn));
  }

  #add(call: ToolCall, turn: Turn): void {
    // A server's log has one request for each call, and no turn that holds several.
    if (call.executedArguments !== undefined && turn.text === undefined) this.#batch += 1;
    const item = { call, turn, batch: this.#batch, isAnswered: false, isReported: false };
    // Nothing answers a call that waits for approval or was denied.
    if (call.approval === "asked" || call.approval === "denied") item.isReported = true;
    this.#open.push(item);
    this.#calls.push(item);
    if (call.callId === undefined) return;
    const other = this.#byId.get(call.callId);
    if (other !== undefined && !other.isAnswered) this.faults.push(duplicate(call, turn));
    this.#byId.set(call.callId, item);
  }

  #answer(result: ToolResult, turn: Turn): void {
    const known = result.callId === undefined ? undefined : this.#byId.get(result.callId);
    const item = known ?? this.#waitingFor(result);
    if (item === undefined) {
      const isOfEarlierCall =
        this.#isBeginning && (result.callId === undefined || !this.#called.has(result.callId));
      if (!isOfEarlierCall && !this.#hasUnreadCalls && !this.#mayHaveAsked(result)) {
        this.faults.push(unasked(result, turn));
      }
    } else if (item.isAnswered) this.faults.push(secondAnswer(item.call, result, turn));
    else {
      item.isAnswered = true;
      this.#answeredCount += 1;
    }
  }

  /** A model without calls of its own may have asked in a notation that nobody read. */
  #mayHaveAsked({ callId }: ToolResult): boolean {
    const speaker = this.#speaker;
    return (
      callId === undefined &&
      speaker?.role === "assistant" &&
      speaker.text !== undefined &&
      speaker.calls.length === 0
    );
  }

  /** Without an id on one of the sides, calls and results pair by name and order. */
  #waitingFor(result: ToolResult): OpenCall | undefined {
    return this.#open.find(
      ({ isAnswered, call }) =>
        !isAnswered &&
        (result.callId === undefined || call.callId === undefined) &&
        (result.name === undefined || call.name === result.name),
    );
  }

  #unanswered(item: OpenCall): void {
    item.isReported = true;
    this.faults.push(unanswered(item.call, item.turn));
  }
}

function place({ evidenceId }: Turn, locator: string): Pick<Fault, "evidenceId" | "locator"> {
  return { evidenceId, locator };
}

function unanswered(call: ToolCall, turn: Turn): Fault {
  return {
    kind: "call-without-result",
    tool: call.name,
    what: "was called and the conversation went on without a result",
    expected: "a result with the id of the call before the next turn",
    actual: "no result",
    pointer: "",
    fix: "Send a result for every call, also when the tool failed or was refused.",
    ...place(turn, call.pointer),
  };
}

function unasked(result: ToolResult, turn: Turn): Fault {
  return {
    kind: "result-without-call",
    tool: result.name ?? "(unknown tool)",
    what: "has a result that answers no call before it",
    expected: "a result that bears the id of a call made before",
    actual:
      result.callId === undefined
        ? "a result without an id, and no call waits"
        : "a result whose id no call has",
    pointer: "",
    fix: "Copy the id of the call into its result, and keep the message with the call in the conversation.",
    ...place(turn, result.pointer),
  };
}

function secondAnswer(call: ToolCall, result: ToolResult, turn: Turn): Fault {
  return {
    kind: "second-result",
    tool: call.name,
    what: "has two results for one call",
    expected: "one result for each call",
    actual: "a second result with the same id",
    pointer: "",
    fix: "Send one result for each call.",
    ...place(turn, result.pointer),
  };
}

function duplicate(call: ToolCall, turn: Turn): Fault {
  return {
    kind: "duplicate-call-id",
    tool: call.name,
    what: "was called with the id of another call that has no result yet",
    expected: "an id of its own for each call",
    actual: "an id that another call has",
    pointer: "",
    fix: "Use the id that the provider gave to each call.",
    ...place(turn, call.pointer),
  };
}
