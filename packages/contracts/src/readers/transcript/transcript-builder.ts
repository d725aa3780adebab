/** Collects the turns of one conversation. */

import type { ToolDefinition, TranscriptTurn } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import {
  allowedToolsIn,
  chosenToolsIn,
  exchangeOf,
  instructionsIn,
  isContinuation,
  type MessagePart,
  partOf,
  toolListIn,
} from "./containers.ts";
import { textField } from "./fields.ts";
import { readMessage } from "./message.ts";
import { withApprovals } from "./approvals.ts";
import { sayTheSame } from "./same-turn.ts";
import { Said, type SentAgain, sentAgain } from "./sent-again.ts";
import { toolsInText } from "./text-calls.ts";
import { readTools } from "./tools.ts";

/** Limits of one transcript. */
export const transcriptLimits = {
  turnCountMax: 100_000,
  noteCountMax: 50,
} as const;

/** What a container says about the turns in it. */
interface Setting {
  readonly tools?: readonly ToolDefinition[] | undefined;
  readonly areToolsPartial?: boolean;
  readonly allowedTools?: readonly string[] | undefined;
  readonly instructions?: string | undefined;
  readonly isContinuation?: boolean;
}

/** Collects turns; what a later request repeats of the conversation is taken once. */
export class TranscriptBuilder {
  readonly turns: TranscriptTurn[] = [];
  readonly #notes = new Set<string>();
  #said = new Said();

  notes(): string[] {
    return [...this.#notes];
  }

  addExchange(exchange: Fields, pointer: string): void {
    const { request, response, requestPointer, responsePointer } = exchangeOf(exchange);
    const asked = this.#settingOf(request);
    const setting = asked.tools === undefined ? { ...this.#settingOf(exchange), ...asked } : asked;
    const part = partOf(request);
    const answer = partOf(response);
    // The history may have been made with other tools; an answer tells that it is one.
    const history = response === undefined ? setting : { ...setting, areToolsPartial: true };
    const place = `${pointer}${requestPointer}`;
    const { tools = setting.tools } =
      part === undefined
        ? {}
        : this.#addMessages(part, { pointer: place, setting: history, isHistory: true });
    if (answer !== undefined) {
      this.#addMessages(answer, {
        pointer: `${pointer}${responsePointer}`,
        setting: chosen({ ...setting, tools }, request),
        isHistory: false,
      });
    }
  }

  addPart(value: unknown, pointer: string): void {
    const part = partOf(value);
    if (part === undefined) return;
    const setting = this.#settingOf(value);
    this.#addMessages(part, { pointer, setting, isHistory: false });
    // A stored response carries what was sent in beside what came out.
    const output =
      isFields(value) && part.pointer === "/input" ? partOf(onlyOutput(value)) : undefined;
    if (output !== undefined) {
      this.#addMessages(output, { pointer, setting: chosen(setting, value), isHistory: false });
    }
  }

  /** How a request goes on with this conversation: it begins with what was said so far. */
  continuationBy(exchange: Fields): SentAgain | undefined {
    const { request } = exchangeOf(exchange);
    const part = partOf(request);
    if (part === undefined || this.turns.length === 0) return undefined;
    // Senders leave turns out and put them together, but none makes so few of so many.
    if (part.messages.length * 4 < this.turns.length) return undefined;
    const sent = part.messages
      .slice(0, transcriptLimits.turnCountMax)
      .flatMap((message, index) => readMessage(message, `/${index}`, {}) ?? []);
    return this.#sentAgain(sent);
  }

  /**
   * Whether a request that does not go on with this conversation begins another one: it begins with the same words, or the
   * last turn still waits for results and the request brings none of them. Work that is tried again, agents that hand over
   * to others, and services with many users log such requests.
   */
  isLeftBy(exchange: Fields): boolean {
    const last = this.turns.at(-1);
    const part = partOf(exchangeOf(exchange).request);
    if (last === undefined || part === undefined) return false;
    if (this.#beginsWith(part.messages)) return true;
    if (last.calls.length === 0 || last.results.length > 0) return false;
    const waiting = new Set(last.calls.map(({ callId }) => callId));
    return !part.messages
      .slice(0, transcriptLimits.turnCountMax)
      .some((message, index) =>
        readMessage(message, `/${index}`, {})?.results.some(
          ({ callId }) => callId === undefined || waiting.has(callId) || waiting.has(undefined),
        ),
      );
  }

  #beginsWith(messages: readonly unknown[]): boolean {
    const first = this.turns.find(({ role }) => role !== "system");
    if (first?.text === undefined) return false;
    for (const message of messages) {
      const turn = readMessage(message, "", {});
      if (turn !== undefined && turn.role !== "system") return sayTheSame(first, turn);
    }
    return false;
  }

  note(text: string): void {
    if (this.#notes.size < transcriptLimits.noteCountMax) this.#notes.add(text);
  }

  #settingOf(value: unknown): Setting {
    if (!isFields(value)) return {};
    const allowedTools = allowedToolsIn(value);
    const instructions = instructionsIn(value);
    const list = toolListIn(value);
    return {
      ...(list === undefined ? {} : this.#advertised(list)),
      ...(allowedTools === undefined ? {} : { allowedTools }),
      ...(instructions === undefined ? {} : { instructions }),
      ...(isContinuation(value) ? { isContinuation: true } : {}),
    };
  }

  #advertised(list: readonly unknown[]): Setting {
    const { tools, unreadCount } = readTools(list);
    if (unreadCount === 0) return { tools };
    this.note(`${unreadCount} advertised tools have no name and were left out.`);
    return { tools, areToolsPartial: true };
  }

  #addMessages(
    { messages, pointer: inner, isSingle }: MessagePart,
    { pointer, setting, isHistory }: { pointer: string; setting: Setting; isHistory: boolean },
  ): Setting {
    let context = setting;
    const turns = withApprovals(messages, (message, index) => {
      const place = isSingle ? `${pointer}${inner}` : `${pointer}${inner}/${index}`;
      // A message may bring the tools from which it was made, and a server's list is an item of its own.
      const own = isFields(message) && Array.isArray(message["tools"]) ? message : undefined;
      if (own !== undefined) context = this.#withToolsOf(own, { context, setting });
      const turn = readMessage(message, place, context);
      if (turn === undefined) {
        if (!isSilentItem(message)) {
          this.note(`What stands at ${place} is no message and was left out.`);
        }
        return [];
      }
      context = this.#withToolsOfPrompt(context, turn);
      return turn;
    });
    const [beginning] = turns;
    if (beginning !== undefined && setting.isContinuation === true) {
      turns[0] = { ...beginning, isPartlyRead: true };
    }
    const [first] = turns;
    if (first !== undefined && setting.instructions !== undefined) {
      turns[0] = { ...first, instructions: setting.instructions };
      const isWithout = setting.tools === undefined || setting.tools.length === 0;
      const list = isWithout ? toolsInText(setting.instructions) : undefined;
      if (list !== undefined) this.#advertiseLate(turns, list);
    }
    const again = isHistory ? this.#sentAgain(turns) : undefined;
    if (again !== undefined && again.known !== this.turns) {
      for (const [index, turn] of again.known.entries()) this.turns[index] = turn;
      this.#said = new Said();
    }
    for (const turn of turns.slice(again?.length ?? 0)) this.#push(turn);
    return context;
  }

  /** A message keeps the tools from which it was made; a server's list, and what a search found, is added to those of the request. */
  #withToolsOf(
    message: Fields,
    { context, setting }: { context: Setting; setting: Setting },
  ): Setting {
    const own = this.#settingOf(message);
    const isAdded =
      /^(?:mcp_list_tools|tool_search_output)$/.test(textField(message, "type") ?? "") ||
      (textField(message, "role") !== "assistant" && setting.tools !== undefined);
    if (!isAdded || own.tools === undefined) return { ...context, ...own };
    const names = new Set(own.tools.map(({ name }) => name));
    const others = (context.tools ?? []).filter(({ name }) => !names.has(name));
    return { ...context, ...own, tools: [...others, ...own.tools] };
  }

  /** Models without a format of their own are told of their tools in the system prompt. */
  #withToolsOfPrompt(context: Setting, turn: TranscriptTurn): Setting {
    // A list without tools beside a prompt that has some is only how a file keeps its form.
    const hasTools = context.tools !== undefined && context.tools.length > 0;
    if (hasTools || turn.role !== "system" || turn.text === undefined) return context;
    const list = toolsInText(turn.text);
    return list === undefined ? context : { ...context, ...this.#advertised(list) };
  }

  #advertiseLate(turns: TranscriptTurn[], list: readonly unknown[]): void {
    const { tools = [] } = this.#advertised(list);
    for (const [index, turn] of turns.entries()) {
      const own = turn.tools === undefined || turn.tools.length === 0 ? [...tools] : turn.tools;
      if (turn.role === "assistant") turns[index] = { ...turn, tools: own };
    }
  }

  #push(turn: TranscriptTurn): void {
    if (this.turns.length >= transcriptLimits.turnCountMax) {
      throw new EvidenceError("The transcript has too many turns.", {
        expected: `at most ${transcriptLimits.turnCountMax} turns`,
        where: turn.pointer,
      });
    }
    this.turns.push(turn);
  }

  #sentAgain(turns: readonly TranscriptTurn[]): SentAgain | undefined {
    const isExact =
      turns.length >= this.turns.length &&
      this.turns.every((turn, index) => sayTheSame(turn, turns[index]));
    if (isExact) return { length: this.turns.length, known: this.turns, isWhole: true };
    this.#said.follow(this.turns);
    return sentAgain(this.turns, turns, this.#said);
  }
}

/** The choice of a request binds its answer only; the history was made under other choices. */
function chosen(setting: Setting, request: unknown): Setting {
  const names = isFields(request) ? chosenToolsIn(request) : undefined;
  return names === undefined ? setting : { ...setting, allowedTools: names };
}

function onlyOutput(value: Fields): Fields {
  return { output: value["output"] };
}

/** Items of a response that say nothing to anybody: thoughts, and calls of the provider's own tools. */
function isSilentItem(value: unknown): boolean {
  const type = isFields(value) ? value["type"] : undefined;
  return (
    typeof type === "string" &&
    /^(?:reasoning|\w+_call|\w+_call_output|tool_search_output|mcp_list_tools|mcp_approval_response|summary)$/.test(
      type,
    )
  );
}
