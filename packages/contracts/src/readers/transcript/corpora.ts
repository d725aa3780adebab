/** Records of public corpora of function calling, brought to requests with messages. */

import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";
import { readCalls, readLiteral } from "./python-literal.ts";
import { toolListOf } from "./tools.ts";

/** Whether a value is a record of a corpus, in which a question stands beside its answer. */
export function isRecord(value: Fields): boolean {
  return (
    textField(value, "chat") !== undefined ||
    trainedOf(value) !== undefined ||
    (questionOf(value) !== undefined &&
      (toolsOf(value) !== undefined || answerOf(value) !== undefined))
  );
}

/** The record as a request: its tools, its question, and the calls that answer it. */
export function conversationOfRecord(record: Fields): Fields {
  const chat = textField(record, "chat");
  if (chat !== undefined) {
    const system = textField(record, "system");
    return {
      messages: [
        ...(system === undefined ? [] : [{ role: "system", content: system }]),
        ...chatMessages(chat),
      ],
    };
  }
  const trained = trainedOf(record);
  if (trained !== undefined) return trained;
  const tools = toolsOf(record);
  const answer = answerOf(record);
  return {
    ...(tools === undefined ? {} : { tools }),
    messages: [
      ...(questionOf(record) ?? []),
      ...(answer === undefined ? [] : [{ role: "assistant", content: null, tool_calls: answer }]),
    ],
  };
}

/** What ToolBench keeps of a search: the longest talk of the model, and the functions that it had. */
function trainedOf({ answer_generation: generation }: Fields): Fields | undefined {
  if (!isFields(generation)) return undefined;
  const { function: functions, train_messages: talks } = generation;
  const last: unknown = Array.isArray(talks) ? talks.at(-1) : undefined;
  return Array.isArray(last) ? { tools: functions, messages: last } : undefined;
}

/** The messages before the answer: a text, or lists of messages, one for each turn. */
function questionOf(record: Fields): readonly unknown[] | undefined {
  const question =
    record["question"] ?? record["query"] ?? record["instruction"] ?? record["prompt"];
  if (typeof question === "string") return [{ role: "user", content: question }];
  if (!Array.isArray(question)) return undefined;
  const messages: readonly unknown[] = question.flat();
  return messages.length > 0 && messages.every(isFields) ? messages : undefined;
}

function toolsOf(record: Fields): readonly unknown[] | undefined {
  return toolListOf(
    record["function"] ?? record["functions"] ?? record["tools"] ?? record["api_list"],
  );
}

function answerOf(record: Fields): readonly unknown[] | undefined {
  const possible = record["ground_truth"] ?? record["possible_answer"];
  const choice = chosenAnswerOf(record);
  if (choice !== undefined) return choice.calls;
  const answer =
    record["answers"] ?? record["answer"] ?? record["result"] ?? record["model_answer"] ?? possible;
  if (answer === undefined) return undefined;
  const calls = callsOf(answer, answer === possible);
  return calls.length === 0 ? undefined : calls;
}

/** Answers to choose from, and which of them is right: only the call among them is one. */
function chosenAnswerOf({
  answers,
  correct_answer: right,
}: Fields): { readonly calls: readonly unknown[] | undefined } | undefined {
  if (!isFields(answers) || typeof right !== "string" || !Object.hasOwn(answers, right)) {
    return undefined;
  }
  const calls = right.includes("call") ? callsOf(answers[right], false) : [];
  return { calls: calls.length === 0 ? undefined : calls };
}

/** Calls as JSON text, in Python's notation, by name, or as `{ name, arguments }`. */
function callsOf(answer: unknown, arePossible: boolean): readonly Fields[] {
  if (typeof answer === "string") {
    const value = readLiteral(answer.trim());
    if (value !== undefined && typeof value !== "string") return callsOf(value, arePossible);
    return (readCalls(answer.trim()) ?? []).map(({ name, named }) => ({ name, arguments: named }));
  }
  const list: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  return list.flatMap((item): readonly Fields[] => {
    if (typeof item === "string") return callsOf(item, arePossible);
    if (!isFields(item)) return [];
    const name = textField(item, "name");
    const given = item["arguments"] ?? item["parameters"] ?? item["args"];
    if (name !== undefined && given !== undefined) return [{ name, arguments: given }];
    return Object.entries(item).flatMap(([tool, named]) => {
      const value = typeof named === "string" ? readLiteral(named) : named;
      if (!isFields(value)) return [];
      return [{ name: tool, arguments: arePossible ? firstOfEach(value) : value }];
    });
  });
}

/** A key of possible answers lists the values that are right for each argument; an empty text means that it may be left out. */
function firstOfEach(named: Fields): Fields {
  if (!Object.values(named).every(Array.isArray)) return named;
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, values]) => {
      const [first]: readonly unknown[] = Array.isArray(values) ? values : [];
      if (first === undefined || first === "") return [];
      return [[name, isFields(first) ? firstOfEach(first) : first] as const];
    }),
  );
}

const chatSpeakers: Readonly<Record<string, string>> = {
  USER: "user",
  ASSISTANT: "assistant",
  "FUNCTION RESPONSE": "tool",
};

/** A whole conversation in one text, each turn behind its speaker. */
function chatMessages(chat: string): Fields[] {
  const parts = chat.split(/(?:^|\n)\s*(USER|ASSISTANT|FUNCTION RESPONSE):/);
  const messages: Fields[] = [];
  for (let index = 1; index + 1 < parts.length; index += 2) {
    const role = chatSpeakers[parts[index] ?? ""];
    const content = (parts[index + 1] ?? "").replaceAll("<|endoftext|>", "").trim();
    if (role === undefined || content === "") continue;
    messages.push({ role, content: content.replace("<functioncall>", "<tool_call>") });
  }
  return messages;
}
