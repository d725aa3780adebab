/** Reads what a provider says of its failure, in any of the shapes in which providers say it. */

import { parseForeignJson } from "@faultline/contracts/json";

import { toList, toObject, toText } from "../wire/json-values.ts";
import type { SaidFailure } from "./attempt-failure.ts";

/**
 * Reads the body of an error, or the data of an event that is one. The text is bounded by whoever read it. Known are
 * the shapes of OpenAI, Anthropic, Google (also in a list), Ollama (`error` is a text), vLLM (fields at the root) and
 * FastAPI (`detail`).
 */
export function readSaidFailure(text: string, status: number | undefined): SaidFailure {
  const nothing: SaidFailure = { status, code: undefined, type: undefined, message: undefined };
  const root = parseJson(text);
  const value = toObject(toList(root)?.[0] ?? root);
  if (value === undefined) return nothing;
  const said = value["error"] ?? value["detail"] ?? value;
  if (typeof said === "string") return { ...nothing, message: said };
  const error = toObject(said);
  if (error === undefined) return nothing;
  const code = error["code"];
  const named = toText(code) ?? toText(error["status"]);
  return {
    status: status ?? statusOf(code) ?? statusOf(error["status"]),
    code: named !== undefined && statusOf(named) === undefined ? named : undefined,
    type: toText(error["type"]),
    message: toText(error["message"]),
  };
}

function parseJson(text: string): unknown {
  try {
    return parseForeignJson(text);
  } catch {
    // An error page, or a body that was cut at its bound: nothing is known of it.
    return undefined;
  }
}

/** A code that is a status, as a number or as digits. */
function statusOf(value: unknown): number | undefined {
  const status = typeof value === "string" && /^[45]\d\d$/.test(value) ? Number(value) : value;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : undefined;
}
