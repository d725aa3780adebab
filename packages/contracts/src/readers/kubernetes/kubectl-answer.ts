/** What kubectl answers in place of objects: that there are none, that it may not look, how a rollout goes. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { kindOf } from "./kinds.ts";
import { mark, textEvent } from "./text-object.ts";

/** The kind of the objects that stand for an answer. */
export const answerKind = "KubectlAnswer";

/** How a call of kubectl ended without the objects that were asked for. */
export type AnswerMeaning = "empty" | "not-found" | "forbidden" | "unavailable";

/** The call behind a text, as far as its wrapper tells. */
export interface RecordedQuestion {
  readonly invocation: string | undefined;
  readonly namespace: string | undefined;
  readonly kind: string | undefined;
  /** The name or the word that was looked for. */
  readonly keyword: string | undefined;
}

const patterns: readonly (readonly [meaning: AnswerMeaning, pattern: RegExp])[] = [
  ["empty", /^No (?:resources|events) found(?: in \S+ namespace)?\.?$/],
  ["not-found", /^(?:[Ee]rror: )?(?:E|e)rror from server \(NotFound\): .*/],
  ["not-found", /^error: the server doesn't have a resource type "[^"]*"/],
  ["forbidden", /^(?:[Ee]rror: )?(?:E|e)rror from server \(Forbidden\): .*/],
  ["unavailable", /^error: [Mm]etrics (?:API )?not available.*/],
  ["unavailable", /^Error from server \((?:ServiceUnavailable|Timeout)\): .*/],
  ["unavailable", /^Unable to connect to the server: .*/],
  ["unavailable", /^The connection to the server \S+ was refused.*/],
];

/** Whether a line is such an answer. */
export function isAnswer(line: string): boolean {
  return meaningOf(line) !== undefined || isRolloutLine(line);
}

/** The answers in the lines, as objects of a kind of their own, which no contract takes for a cluster's. */
export function readAnswers(
  lines: readonly string[],
  question: RecordedQuestion,
): KubernetesObject[] {
  return lines.flatMap((line): KubernetesObject[] => {
    const text = line.trim();
    if (text.length > 2_000) return [];
    if (isRolloutLine(text)) return [rolloutEvent(text, question.namespace)];
    const meaning = meaningOf(text);
    return meaning === undefined ? [] : [answer(meaning, text, question)];
  });
}

/** `kubectl get … | grep web` that found nothing prints nothing; only the wrapper tells that it was asked. */
export function emptySearch(question: RecordedQuestion, header: string): KubernetesObject[] {
  const isSearch = /\| ?grep /.test(question.invocation ?? "") && /return code 1\b/.test(header);
  if (!isSearch || question.keyword === undefined) return [];
  return [answer("empty", `${question.invocation ?? ""} found nothing`, question)];
}

/** What the wrapper of a recorded call says of the question. */
export function questionOf(header: string, namespace: string | undefined): RecordedQuestion {
  const parameter = (name: string): string | undefined =>
    new RegExp(`"${name}":\\s*"([^"\\\\]{1,253})"`).exec(header)?.[1];
  const invocation = /"invocation":\s*"(kubectl [^"\\]{1,2000})"/.exec(header)?.[1];
  const words = (/^kubectl (?:get|describe) ([^|]*)/.exec(invocation ?? "")?.[1] ?? "").split(" ");
  const asked = words.find(
    (word, index) => /^[a-zA-Z]/.test(word) && !/^(?:-o|-n|-l|--\w+)$/.test(words[index - 1] ?? ""),
  );
  const kind = parameter("kind") ?? parameter("resource_type") ?? asked;
  return {
    invocation,
    namespace: namespace ?? parameter("namespace"),
    kind: kind === undefined ? undefined : kindOf(kind),
    keyword: parameter("keyword") ?? parameter("name") ?? parameter("resource_name"),
  };
}

function meaningOf(line: string): AnswerMeaning | undefined {
  if (!/^(?:No (?:resources|events) found|[Ee]rror|Unable to|The connection)/.test(line))
    return undefined;
  return patterns.find(([, pattern]) => pattern.test(line))?.[0];
}

function answer(
  meaning: AnswerMeaning,
  message: string,
  question: RecordedQuestion,
): KubernetesObject {
  const namespace = /in (\S+) namespace\.?$/.exec(message)?.[1] ?? question.namespace ?? undefined;
  const named = /\(NotFound\): (\S+) "([^"]{1,253})" not found/.exec(message);
  const kind = named?.[1] === undefined ? question.kind : kindOf(named[1]);
  const name = named?.[2] ?? question.keyword;
  const isOfAll = / (?:-A|--all-namespaces)\b/.test(question.invocation ?? "");
  return {
    apiVersion: "kubectl",
    kind: answerKind,
    metadata: {
      name: [meaning, kind ?? "", name ?? "", isOfAll ? "*" : (namespace ?? "")].join(" ").trim(),
    },
    meaning,
    message,
    ...(kind === undefined ? {} : { askedKind: kind }),
    ...(name === undefined ? {} : { askedName: name }),
    ...(namespace === undefined || isOfAll ? {} : { askedNamespace: namespace }),
    isOfAllNamespaces: isOfAll,
    ...mark(question.invocation ?? "kubectl", []),
  };
}

function isRolloutLine(line: string): boolean {
  return (
    /^(?:Waiting for (?:deployment|daemon set|statefulset|\d+ pods)|error: deployment ")/.test(
      line,
    ) ||
    /^(?:deployment|daemon set|statefulset)(?:\.apps)? "[^"]+" successfully rolled out/.test(
      line,
    ) ||
    /^(?:Waiting for partitioned roll out|partitioned roll out complete)/.test(line) ||
    line.startsWith("error: timed out waiting for the condition")
  );
}

function rolloutEvent(text: string, namespace: string | undefined): KubernetesObject {
  const [, word, name] =
    /(deployment|daemon set|statefulset)(?:\.apps)?(?: spec update)?.{0,40}? "([^"]{1,253})"/.exec(
      text,
    ) ?? [];
  const kind = kindOf((word ?? "deployment").replace(" ", ""));
  const about = { kind, name: name ?? "*", namespace: namespace ?? "default" };
  const isFailure = text.startsWith("error:");
  return textEvent(about, {
    type: isFailure ? "Warning" : "Normal",
    reason: "RolloutStatus",
    message: text,
    age: "",
  });
}
