/** The contract tool-call/tool-choice: where something is not known the agent asks, instead of making it up. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import { isFields } from "../model/fields.ts";
import { stemOf } from "./answer-words.ts";
import type { Conversation, Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { isUserWord, type Stretch, stretchesOf } from "./conversation/user-turns.ts";
import { SaidBefore } from "./identifiers.ts";
import { type Leaf, leavesOf } from "./leaves.ts";
import { masked } from "./masked.ts";
import { nameWords } from "./name-words.ts";
import { resultText, resultValue, stateOf } from "./result-state.ts";
import { traitsOf } from "./tool-traits.ts";
import { areResultsLeftOut } from "./uninformative.ts";
import { Verdicts } from "./verdicts.ts";

export const toolChoice: Contract = defineContract({
  id: "tool-call/tool-choice",
  version: 2,
  boundary: "model-tool",
  promise:
    "The agent calls the tool that was asked for, and asks back where a required value is not known or a thing is not the only one.",
  reads: ["transcript", "trace"],
  options: {},
  check(snapshot, _options, found) {
    const verdicts = new Verdicts();
    for (const conversation of conversationsOf(snapshot)) {
      if (!conversation.isWhole) continue;
      judgePlaceholders(conversation, verdicts);
      for (const stretch of stretchesOf(conversation)) {
        judgeAmbiguity(conversation, stretch, verdicts);
        judgeTool(conversation, stretch, verdicts);
      }
    }
    return verdicts.findings(found, {
      holds: "had what was needed",
      nextCheck: "Read the request of the user beside the descriptions of the tools.",
    });
  },
});

/** Values that stand for others that nobody gave. */
const placeholder =
  /^(?:<[\w\s-]{1,40}>|\[(?:your|insert|user|enter)[\w\s-]{1,40}\]|\{\{?[\w\s.]{1,40}\}\}?|your[_ -][\w -]{2,40}|(?:unknown|n\/a|tbd|todo|placeholder|not[_ ](?:provided|specified|given|available)|(?:user|customer|order|account)[_ -]?id(?:[_ -]here)?|insert[_ ]\w+|xxx+|example\w{0,10}@\w+\.\w+|(?:john|jane|user|test|example|customer|someone|name|email)(?:[._]?doe)?@(?:example|test|email|domain|company)\.\w{2,4}|(?:john|jane) doe|123 main (?:st|street)\b.{0,40}|(?:\+?1?[-. ]?)?\(?555\)?[-. ]?(?:555[-. ]?)?\d{3,4}[-. ]?\d{0,4}))$/i;
/** Values that stand for others in examples, and that small systems give to their first things. */
const numbered = /^(?:order|user|customer|account|cust|usr|ord|acc)[_-]?(?:12345?6?|001|xxx)$/i;

function judgePlaceholders({ turns, exchanges }: Conversation, verdicts: Verdicts): void {
  const said = new SaidBefore();
  const isSilent = areResultsLeftOut(exchanges);
  let next = 0;
  for (const [index, turn] of turns.entries()) {
    if (turn.instructions !== undefined) said.add(turn.instructions);
    if (turn.role !== "assistant" && turn.text !== undefined) said.add(turn.text);
    for (const result of turn.results) said.add(resultText(result));
    for (; exchanges[next]?.turn === index; next += 1) {
      const exchange = exchanges[next];
      if (exchange === undefined || turn.isPartlyRead === true) continue;
      // A model that has to call this one tool cannot ask back.
      if (turn.allowedTools?.length === 1 && turn.allowedTools[0] === exchange.tool) continue;
      for (const leaf of leavesOf(exchange.given)) {
        if (isMadeUp(leaf, exchange, { said, isSilent }))
          reportPlaceholder(leaf, exchange, verdicts);
      }
    }
  }
}

/** Words of fields in which somebody or something is named. */
const namingWords = new Set(
  `account address card contact customer email id ids iban name number order person phone recipient user username uuid`.split(
    " ",
  ),
);

function isMadeUp(
  { value, pointer, name: field }: Leaf,
  { definition, result }: Exchange,
  { said, isSilent }: { said: SaidBefore; isSilent: boolean },
): boolean {
  if (typeof value !== "string") return false;
  // What the tool knows is a thing of its system and no example.
  const isKnown = isSilent || (result !== undefined && stateOf(result) === "fine");
  const text = value.trim();
  if (!placeholder.test(text) && (isKnown || !numbered.test(text))) return false;
  const schema = definition?.inputSchema;
  if (!isFields(schema) || !nameWords(field).some((word) => namingWords.has(word))) return false;
  const name = pointer.split("/")[1] ?? "";
  const required = schema["required"];
  if (!Array.isArray(required) || !required.includes(name)) return false;
  const described = JSON.stringify(definition).toLowerCase();
  return !described.includes(value.toLowerCase()) && said.find(value) === "never";
}

function reportPlaceholder(
  { pointer, value }: Leaf,
  { tool, reference }: Exchange,
  verdicts: Verdicts,
): void {
  verdicts.violated({
    tool,
    fault: `made-up ${pointer}`,
    what: `was called with a placeholder as ${pointer}, which it requires and nobody had given`,
    expected: `a question to the user for ${pointer}, or a tool that looks it up`,
    actual: `a placeholder: ${masked(String(value))}`,
    causeKind: "data",
    fix: `Say in the description of ${tool} where ${pointer} comes from, and that the user is to be asked for it.`,
    nextCheck: "See what the tool did with the placeholder.",
    evidence: [reference],
    measures: { pointer },
  });
}

/** One of several things that fit the user's words was changed without a question which was meant. */
function judgeAmbiguity({ turns }: Conversation, stretch: Stretch, verdicts: Verdicts): void {
  const asked = turns
    .slice(0, stretch.to)
    .filter((turn) => turn.role === "system" || isUserWord(turn))
    .map((turn) => `${turn.text ?? ""}\n${turn.instructions ?? ""}`)
    .join("\n")
    .toLowerCase();
  for (const [index, exchange] of stretch.exchanges.entries()) {
    const { result } = exchange;
    if (result === undefined || stateOf(result) !== "fine") continue;
    const items = itemsOf(resultValue(result));
    if (items.length < 2 || items.length > 50) continue;
    const later = stretch.exchanges.slice(index + 1);
    const changes = later.filter(
      (other) =>
        other.turn >= exchange.resultTurn &&
        traitsOf(other.tool, other.definition).isChanging === true,
    );
    const looks = later.length - changes.length;
    // Whoever looked further may have found out which one was meant.
    if (looks > 0) continue;
    const chosen = items.filter((item) => changes.some((other) => isAbout(other, item)));
    const [only] = chosen;
    const change = only === undefined ? undefined : changes.find((other) => isAbout(other, only));
    if (chosen.length !== 1 || only === undefined || change === undefined) continue;
    if (!isAmbiguous(only, items, asked)) continue;
    verdicts.violated({
      tool: change.tool,
      fault: "no-clarification",
      what: `changed one of ${items.length} things that ${exchange.tool} found for what the user named, and nobody had said which`,
      expected: "a question to the user which of them is meant",
      actual: "one of them was chosen",
      causeKind: "data",
      fix: "Ask which one is meant whenever a search finds more than one, before anything is changed.",
      nextCheck: "See whether the user meant the one that was changed.",
      evidence: [
        exchange.reference,
        { evidenceId: exchange.reference.evidenceId, locator: result.pointer },
        change.reference,
      ],
      measures: { matchCount: items.length },
    });
  }
}

type Item = Readonly<Record<string, unknown>>;

/** The items of a result that is a list, or holds one. */
function itemsOf(value: unknown): Item[] {
  const lists = Array.isArray(value)
    ? [value]
    : isFields(value)
      ? Object.values(value).filter(Array.isArray)
      : [];
  const [only, ...others] = lists;
  if (only === undefined || others.length > 0) return [];
  const items: readonly unknown[] = only;
  return items.every(isFields) ? items.filter(isFields) : [];
}

function identityOf(item: Item): string | undefined {
  const entry = Object.entries(item).find(
    ([name, value]) =>
      /(?:^|_)id$/i.test(name) && (typeof value === "string" || typeof value === "number"),
  );
  return entry === undefined ? undefined : String(entry[1]).toLowerCase();
}

function isAbout({ given }: Exchange, item: Item): boolean {
  const id = identityOf(item);
  return (
    id !== undefined && leavesOf(given).some(({ value }) => String(value).toLowerCase() === id)
  );
}

/** All items share what the user named, and nothing that the user said is of the chosen one alone. */
function isAmbiguous(chosen: Item, items: readonly Item[], asked: string): boolean {
  if (
    /\b(?:all|every|each|both|any|first|last|latest|newest|oldest|recent|earliest|cheapest|lowest|highest|best|nearest|closest|largest|smallest|next|either|whichever|random|older|newer|former|latter)\b/.test(
      asked,
    )
  )
    return false;
  const others = items.filter((item) => item !== chosen);
  const scalars = Object.entries(chosen).filter(
    ([, value]) => typeof value === "string" || typeof value === "number",
  );
  const isSaid = (value: unknown): boolean => {
    const text = String(value).toLowerCase();
    return text.length > 1 && asked.includes(text);
  };
  const isShared = ([name, value]: [string, unknown]): boolean =>
    others.every((item) => String(item[name]).toLowerCase() === String(value).toLowerCase());
  const isNamed = scalars.some(
    (entry) => isShared(entry) && isSaid(entry[1]) && String(entry[1]).length > 2,
  );
  const tellsApart = scalars.some(
    (entry) =>
      !isShared(entry) &&
      String(entry[1])
        .toLowerCase()
        .split(/[^\p{L}\p{N}]+/u)
        .some((word) => word.length > 1 && asked.includes(word)),
  );
  return isNamed && !tellsApart;
}

/** The user named what another advertised tool does, word for word, and the only change was made with one not named. */
function judgeTool({ turns }: Conversation, stretch: Stretch, verdicts: Verdicts): void {
  const words = new Set(
    (
      (turns[stretch.from]?.text ?? "")
        .slice(0, 2_000)
        .toLowerCase()
        .match(/\p{L}+/gu) ?? []
    ).map(stemOf),
  );
  const changes = stretch.exchanges.filter(
    ({ tool, definition }) => traitsOf(tool, definition).isChanging === true,
  );
  const [change, ...others] = changes;
  if (
    change === undefined ||
    others.length > 0 ||
    stretch.exchanges.some(({ result }) => result !== undefined && stateOf(result) === "error")
  )
    return;
  const isNamed = (name: string): boolean => {
    const own = nameWords(name);
    return own.length >= 2 && own.every((word) => words.has(stemOf(word)));
  };
  const verbs = nameWords(change.tool).slice(0, 1);
  if (verbs.some((word) => words.has(stemOf(word)))) return;
  const called = new Set(stretch.exchanges.map(({ tool }) => tool));
  const better = (turns[change.turn]?.tools ?? []).filter(
    ({ name }) =>
      !called.has(name) && isNamed(name) && traitsOf(name, undefined).isChanging === true,
  );
  const [only, ...rest] = better;
  if (only === undefined || rest.length > 0) return;
  verdicts.open({
    tool: change.tool,
    what: `was called where the words of the user name ${only.name}`,
    missing: `the reason why ${change.tool} was called instead of ${only.name}`,
    evidence: [change.reference],
  });
}
