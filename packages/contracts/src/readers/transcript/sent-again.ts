/** What a request sends again of a conversation that is known, however its sender has rewritten it. */

import type { TranscriptTurn } from "../../model/evidence.ts";
import { asValue } from "./same-turn.ts";

/** How much of a request is known, and the known turns with the ids that the request gives their calls and results. */
export interface SentAgain {
  /** The turns of the request that are known. */
  readonly length: number;
  readonly known: readonly TranscriptTurn[];
  /** It begins with all that is known, and not only with the last calls that are. */
  readonly isWhole: boolean;
}

/** One thing that was said: a text, a call or a result, with where it stands. */
interface Statement {
  readonly kind: "text" | "call" | "result";
  readonly essence: string;
  readonly id: string | undefined;
  readonly turn: number;
  /** The place among the calls or results of the turn. */
  readonly place: number;
}

/** What the turns of a conversation say, told once for each turn however many requests are compared with them. */
export class Said {
  readonly statements: Statement[] = [];
  readonly calls: Statement[] = [];
  #turnCount = 0;

  /** Adds what those turns say that were added since the last time. */
  follow(turns: readonly TranscriptTurn[]): void {
    for (const turn of turns.slice(this.#turnCount)) {
      for (const statement of statementsOf(turn, this.#turnCount)) {
        this.statements.push(statement);
        if (statement.kind === "call") this.calls.push(statement);
      }
      this.#turnCount += 1;
    }
  }
}

/**
 * What `sent` repeats of `known`, which `said` has followed; `undefined` when it does not go on with it. Senders leave out empty turns and what the
 * model thought, put turns together or apart, say other instructions, and give ids to calls that came without any: what
 * was said, called and answered is the same in the same order. Where a text was rewritten or the beginning was cut off,
 * the last calls that are known tell where the request goes on.
 */
export function sentAgain(
  known: readonly TranscriptTurn[],
  sent: readonly TranscriptTurn[],
  said: Said,
): SentAgain | undefined {
  const before = said.statements;
  if (before.length === 0) return undefined;
  const after = sent.flatMap(statementsOf);
  return afterSameStatements(known, sent, [before, after]) ?? afterLastCalls(known, said, after);
}

function afterSameStatements(
  known: readonly TranscriptTurn[],
  sent: readonly TranscriptTurn[],
  [before, after]: readonly [readonly Statement[], readonly Statement[]],
): SentAgain | undefined {
  if (after.length < before.length) return undefined;
  const isSame = before.every((statement, index) => statement.essence === after[index]?.essence);
  const last = after[before.length - 1];
  if (!isSame || last === undefined) return undefined;
  const named = withIds(known, before, after);
  const isExtended = after[before.length]?.turn === last.turn;
  if (!isExtended) return { length: last.turn + 1, known: named, isWhole: true };
  const longer = withLonger(named, { before, after, sent });
  return longer === undefined ? undefined : { length: last.turn + 1, known: longer, isWhole: true };
}

/** Agents write what they were told behind what the model said: the last turn that is known, with what was added to it. */
function withLonger(
  known: readonly TranscriptTurn[],
  {
    before,
    after,
    sent,
  }: { before: readonly Statement[]; after: readonly Statement[]; sent: readonly TranscriptTurn[] },
): readonly TranscriptTurn[] | undefined {
  const [at, from] = [before.at(-1)?.turn, after[before.length - 1]?.turn];
  if (at === undefined || from === undefined) return undefined;
  const begins = before.findIndex(({ turn }) => turn === at);
  const turn = sent[from];
  // The turn of the request must begin where the known one does, or more than that was put together.
  if (turn === undefined || after.findIndex((item) => item.turn === from) !== begins) {
    return undefined;
  }
  const { text, calls, results } = turn;
  return known.map((item, index) =>
    index === at ? { ...item, ...(text === undefined ? {} : { text }), calls, results } : item,
  );
}

function afterLastCalls(
  known: readonly TranscriptTurn[],
  { statements: before, calls }: Said,
  after: readonly Statement[],
): SentAgain | undefined {
  const last = calls.at(-1);
  if (last === undefined) return undefined;
  const isOf = (kind: Statement["kind"]) => (statement: Statement) => statement.kind === kind;
  const sentCalls = after.filter(isOf("call"));
  const lastCalls = calls.slice(calls.findLastIndex(({ turn }) => turn !== last.turn) + 1);
  const named = new Map(
    lastCalls.flatMap(({ id, essence }) => (id === undefined ? [] : [[id, essence]])),
  );
  const isNamed = named.size > 0;
  // Some servers count the calls of each conversation from the first again, so that an id alone tells nothing.
  const anchor = isNamed
    ? sentCalls.findLast(({ id, essence }) => id !== undefined && named.get(id) === essence)
    : calls.every(({ essence }, index) => essence === sentCalls[index]?.essence)
      ? sentCalls[calls.length - 1]
      : undefined;
  if (anchor === undefined) return undefined;
  const behind = before.slice(before.findLastIndex(({ turn }) => turn <= last.turn) + 1);
  const length = lengthFrom(anchor.turn, behind, after);
  if (isNamed) return { length, known, isWhole: false };
  const results = before.filter(isOf("result"));
  const sentResults = after.filter(isOf("result"));
  const given = [...sentCalls.slice(0, calls.length), ...sentResults];
  return { length, known: withIds(known, [...calls, ...results], given), isWhole: false };
}

/** How far the turns after the last known calls tell what is known as well: as many results, and the same texts. */
function lengthFrom(
  anchor: number,
  known: readonly Statement[],
  sent: readonly Statement[],
): number {
  const texts = new Set(known.flatMap(({ kind, essence }) => (kind === "text" ? essence : [])));
  let resultCount = known.filter(({ kind }) => kind === "result").length;
  let length = anchor + 1;
  const turns = Map.groupBy(
    sent.filter(({ turn }) => turn > anchor),
    ({ turn }) => turn,
  );
  for (const [turn, statements] of turns) {
    const isKnown = statements.every(({ kind, essence }) => {
      if (kind === "result") return resultCount-- > 0;
      return kind === "text" && texts.has(essence);
    });
    if (!isKnown) break;
    length = turn + 1;
  }
  return length;
}

/** The known turns, with the ids of calls and results as the request has them: by these they are paired from here on. */
function withIds(
  known: readonly TranscriptTurn[],
  before: readonly Statement[],
  after: readonly Statement[],
): readonly TranscriptTurn[] {
  const changed = new Map<number, TranscriptTurn>();
  for (const [index, { kind, id, turn, place }] of before.entries()) {
    const given = after[index]?.id;
    const current = changed.get(turn) ?? known[turn];
    if (given === undefined || given === id || current === undefined || kind === "text") continue;
    const named = <Item extends { callId?: string }>(items: readonly Item[]): Item[] =>
      items.map((item, at) => (at === place ? { ...item, callId: given } : item));
    changed.set(
      turn,
      kind === "call"
        ? { ...current, calls: named(current.calls) }
        : { ...current, results: named(current.results) },
    );
  }
  return changed.size === 0 ? known : known.map((turn, index) => changed.get(index) ?? turn);
}

/** What a turn says that is no instruction. */
function statementsOf(
  { role, text, calls, results }: TranscriptTurn,
  turn: number,
): readonly Statement[] {
  if (role === "system") return [];
  const answers = results.map(({ callId, content }, place): Statement => ({
    kind: "result",
    essence: JSON.stringify(["result", content]),
    id: callId,
    turn,
    place,
  }));
  const statements: Statement[] = [];
  // Results in a turn that calls are those of its own calls.
  if (calls.length === 0) statements.push(...answers);
  const said = text?.trim() ?? "";
  if (said !== "") {
    const essence = JSON.stringify(["text", role, said]);
    statements.push({ kind: "text", essence, id: undefined, turn, place: 0 });
  }
  for (const [place, { callId, name, arguments: given }] of calls.entries()) {
    const essence = JSON.stringify(["call", name, asValue(given)]);
    statements.push({ kind: "call", essence, id: callId, turn, place });
  }
  if (calls.length > 0) statements.push(...answers);
  return statements;
}
