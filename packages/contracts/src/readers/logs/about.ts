/** Which container a recorded log is of, by the call that printed it or by the name of its file. */

import type { LogsContent } from "../../model/evidence.ts";
import { isFields, type Fields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";

export type LogAbout = NonNullable<LogsContent["about"]>;

/** What is known of a container before its pod is. */
export interface AboutParts {
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly container?: string | undefined;
  readonly isPrevious?: boolean | undefined;
}

/** The parts as the model has them; nothing without a pod. The first that knows a part decides it. */
export function aboutOf(...sources: readonly AboutParts[]): LogAbout | undefined {
  const first = <K extends keyof AboutParts>(key: K): AboutParts[K] =>
    sources.find((source) => source[key] !== undefined)?.[key];
  const pod = first("pod");
  if (pod === undefined || pod === "") return undefined;
  const namespace = first("namespace");
  const container = first("container");
  return {
    ...(namespace === undefined ? {} : { namespace: cutText(namespace, 256) }),
    pod: cutText(pod, 256),
    ...(container === undefined ? {} : { container: cutText(container, 256) }),
    isPrevious: first("isPrevious") ?? false,
  };
}

/** What the lines about a recorded call say. */
export function aboutOfHeader(header: string): AboutParts {
  const documents = header.split("\n").flatMap(fieldsOf);
  const params = documents.flatMap((document) =>
    [document["params"], document["match_params"]].filter(isFields),
  );
  const command = documents.map((document) => textOf(document["invocation"])).find(isCommand);
  const tool = documents.map((document) => textOf(document["tool_name"])).join(" ");
  const param = (pattern: RegExp): string | undefined =>
    params
      .flatMap((fields) => Object.entries(fields))
      .flatMap(([name, value]) => (pattern.test(name) ? [textOf(value)] : []))
      .find((value) => value !== undefined && value !== "");
  const parts = command === undefined ? {} : aboutOfCommand(command);
  const isPrevious = /previous/.test(tool) || params.some(({ previous }) => previous === true);
  return {
    namespace: parts.namespace ?? param(/^namespace$/),
    pod: parts.pod ?? param(/^(?:pod|pod_?name)$/i),
    container: parts.container ?? param(/^(?:container|container_?name)$/i),
    isPrevious: isPrevious || parts.isPrevious === true,
  };
}

/** The error that the lines about a recorded call tell of. */
export function errorOfHeader(header: string): string | undefined {
  return header
    .split("\n")
    .flatMap(fieldsOf)
    .map((document) => textOf(document["error"]))
    .find((error) => error !== undefined && error !== "");
}

/** What a command line of `kubectl logs` says. */
export function aboutOfCommand(command: string): AboutParts {
  const words = command.trim().split(/\s+/).slice(0, wordCountMax);
  const parts: { -readonly [K in keyof AboutParts]: AboutParts[K] } = { isPrevious: false };
  const names: string[] = [];
  for (let index = words.indexOf("kubectl") + 1; index < words.length; index += 1) {
    const [flag = "", inline] = (words[index] ?? "").split(/=(.*)/s, 2);
    if (/^(?:[|>;&]|2>)/.test(flag)) break;
    const value = (): string | undefined => inline ?? words[(index += 1)];
    if (flag === "-n" || flag === "--namespace") parts.namespace = value();
    else if (flag === "-c" || flag === "--container") parts.container = value();
    else if (flag === "-p" || flag === "--previous") parts.isPrevious = inline !== "false";
    else if (valueFlags.has(flag)) value();
    else if (!flag.startsWith("-")) names.push(words[index] ?? "");
  }
  const [pod = "", container] = names.filter((name) => name !== "logs");
  // `deployment/web` names no pod: kubectl chose one of its pods.
  if (/^(?:pods?\/)?[a-z0-9][a-z0-9.-]*$/.test(pod)) parts.pod = pod.replace(/^pods?\//, "");
  parts.container ??= container;
  return parts;
}

/** Flags of kubectl that take a value. */
const valueFlags: ReadonlySet<string> = new Set(
  "--tail --since --since-time --limit-bytes --context --kubeconfig --cluster --user -l --selector --max-log-requests --pod-running-timeout --request-timeout -s --server --token --as".split(
    " ",
  ),
);
const wordCountMax = 64;

/** What the name of a file says. Only names that tools give are trusted. */
export function aboutOfName(name: string): AboutParts {
  const plain = name.replace(/\.(?:txt|log|out|gz)+$/g, "");
  // The kubelet's links in /var/log/containers.
  const link = /^([a-z0-9][a-z0-9.-]*)_([a-z0-9-]+)_([a-z0-9-]+)-[0-9a-f]{64}$/.exec(plain);
  if (link !== null) return { pod: link[1], namespace: link[2], container: link[3] };
  const recorded = /^kubectl_(previous_)?logs_([a-z0-9][a-z0-9.-]*)_([a-z0-9][a-z0-9-]*)$/.exec(
    plain,
  );
  if (recorded === null) return {};
  return { pod: recorded[2], namespace: recorded[3], isPrevious: recorded[1] !== undefined };
}

/** Whether a text is a command line that prints a log. */
export function isCommand(text: string | undefined): text is string {
  return (
    text !== undefined &&
    /^\s*(?:[$#>]\s+)?(?:\S{1,256}\/)?kubectl\s(?:[^|]{0,1024}?\s)?logs\s/.test(text)
  );
}

function fieldsOf(line: string): Fields[] {
  if (line.trim() === "") return [];
  try {
    const value: unknown = parseForeignJson(line);
    return isFields(value) ? [value] : [];
  } catch {
    // A line about the call that is cut tells nothing; the log below it is as good.
    return [];
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
