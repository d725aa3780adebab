/** Holds the output rules of a policy against one reply: its texts by channel, its calls of tools. */

import { ArgumentsFilter } from "./arguments-filter.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { policyLimits } from "./limits.ts";
import { TextFilter } from "./text-filter.ts";

/**
 * Who a text is for: `open` text loses what rules take out; `fixed` text must stay as it is, and can only be refused;
 * `arguments` are fixed and JSON, whose texts are looked at as a tool will read them.
 */
export type TextKind = "open" | "fixed" | "arguments";

/** The name of what no rule of the bundle has: limits of its own. */
const toolsAllowed = "tools.allowed";
const toolsCallCount = "tools.callCountMax";
const channelCount = "channels";

export class OutputCheck {
  readonly #policy: CompiledPolicy;
  readonly #filters = new Map<string, TextFilter | ArgumentsFilter>();
  readonly #redactedBy = new Set<string>();
  readonly #onRedacted: (rule: string) => void;
  readonly #calls = new Set<string>();
  /** The rule that refuses the reply; nothing of it may follow. */
  refusedBy: string | undefined;

  /** `onRedacted` is called once for each rule that takes something out. */
  constructor(policy: CompiledPolicy, onRedacted: (rule: string) => void) {
    this.#policy = policy;
    this.#onRedacted = onRedacted;
  }

  /** The next part of a text. Gives what may go on now. */
  push(channel: string, kind: TextKind, text: string): string {
    const filter = this.#filters.get(channel) ?? this.#open(channel, kind);
    const { text: kept } = filter.push(text);
    this.#note(filter);
    return kept;
  }

  /** The rest of a text that has ended; empty when nothing was held back. */
  finish(channel: string): string {
    const filter = this.#filters.get(channel);
    if (filter === undefined) return "";
    this.#filters.delete(channel);
    const { text } = filter.finish();
    this.#note(filter);
    return text;
  }

  /** Channels that are open and whose names begin so. */
  openChannels(prefix: string): string[] {
    return [...this.#filters.keys()].filter((channel) => channel.startsWith(prefix));
  }

  /** A text that comes whole. */
  whole(kind: TextKind, text: string): string {
    const filter = this.#filterFor(kind);
    const kept = filter.push(text).text + filter.finish().text;
    this.#note(filter);
    return kept;
  }

  /** A call of a tool; the same call may be named again. */
  call(id: string, tool: string | undefined): void {
    this.#calls.add(id);
    const { allowedTools, toolCallCountMax } = this.#policy;
    if (tool !== undefined && allowedTools?.has(tool) === false) this.refusedBy ??= toolsAllowed;
    if (this.#calls.size > (toolCallCountMax ?? Number.POSITIVE_INFINITY)) {
      this.refusedBy ??= toolsCallCount;
    }
  }

  #open(channel: string, kind: TextKind): TextFilter | ArgumentsFilter {
    const filter = this.#filterFor(kind);
    this.#filters.set(channel, filter);
    if (this.#filters.size > policyLimits.channelCountMax) this.refusedBy ??= channelCount;
    return filter;
  }

  #filterFor(kind: TextKind): TextFilter | ArgumentsFilter {
    const { output, refusing } = this.#policy;
    if (kind === "arguments") return new ArgumentsFilter(refusing);
    return new TextFilter(kind === "open" ? output : refusing);
  }

  #note(filter: TextFilter | ArgumentsFilter): void {
    this.refusedBy ??= filter.refusedBy;
    for (const rule of filter.redactedBy) {
      if (this.#redactedBy.has(rule)) continue;
      this.#redactedBy.add(rule);
      this.#onRedacted(rule);
    }
  }
}
