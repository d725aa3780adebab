/** Finds requests that begin a trace of their own right inside a call of another service: their context was lost. */

import { operationOf } from "../traces/name-operation.ts";
import { noParent, type Trace } from "../traces/trace.ts";
import { urlTarget } from "../traces/url-template.ts";
import type { Attributes } from "../model/span.ts";
import { wordOf } from "./attribute-value.ts";
import { isWithin, type Link, type Place } from "./service-links.ts";

export interface LostContext {
  readonly caller: string;
  readonly callee: string;
  /** Calls, each with the request that it must have been. */
  readonly pairs: readonly { readonly call: Place; readonly root: Place }[];
  /** Whether every such request of the callee lies within such a call. */
  readonly isAlways: boolean;
}

/** Clocks of two services may differ by this much where they are compared without a call between them. */
const slackMicros = 5_000;
/** Calls and requests that are compared. */
const placesComparedMax = 2_000;

/** Lost contexts between services whose calls are never linked. `calls` are unlinked, of known or unknown callees. */
export function lostContexts(
  traces: readonly Trace[],
  calls: readonly Place[],
  links: readonly Link[],
): LostContext[] {
  const roots = rootsByOperation(traces);
  if (roots.size === 0) return [];
  const linked = new Set(
    links
      .filter((link) => link.linkedCount > 0)
      .map(({ caller, callee }) => `${caller}\n${callee}`),
  );
  const byOperation = new Map<string, Place[]>();
  for (const call of calls.slice(0, placesComparedMax)) {
    const { attributes, name } = call.trace.span(call.index);
    const key = keyOf(attributes, name);
    if (key === undefined || !roots.has(key)) continue;
    const list = byOperation.get(key);
    if (list === undefined) byOperation.set(key, [call]);
    else list.push(call);
  }
  return [...byOperation].flatMap(([key, list]) => pairUp(list, roots.get(key) ?? [], linked));
}

function pairUp(
  calls: readonly Place[],
  roots: readonly Place[],
  linked: ReadonlySet<string>,
): LostContext[] {
  const found = new Map<string, { call: Place; root: Place }[]>();
  for (const root of roots) {
    const around = calls.filter(
      (call) =>
        call.trace !== root.trace &&
        serviceOf(call) !== serviceOf(root) &&
        isWithin(root, call, slackMicros),
    );
    const [call] = around;
    // Of two calls that it could be, nobody knows which.
    if (call === undefined || around.length > 1) continue;
    const key = `${serviceOf(call)}\n${serviceOf(root)}`;
    if (linked.has(key)) continue;
    const pairs = found.get(key);
    if (pairs === undefined) found.set(key, [{ call, root }]);
    else if (pairs.every((pair) => pair.call !== call)) pairs.push({ call, root });
  }
  return [...found].map(([key, pairs]) => {
    const [caller = "", callee = ""] = key.split("\n", 2);
    const all = roots.filter((root) => serviceOf(root) === callee);
    return { caller, callee, pairs, isAlways: all.length === pairs.length };
  });
}

function serviceOf({ trace, index }: Place): string {
  return trace.span(index).service;
}

function rootsByOperation(traces: readonly Trace[]): Map<string, Place[]> {
  const roots = new Map<string, Place[]>();
  let count = 0;
  for (const trace of traces) {
    for (let index = 0; index < trace.spans.length && count < placesComparedMax; index += 1) {
      const span = trace.span(index);
      if (span.kind !== "server" || trace.parents[index] !== noParent) continue;
      const key = keyOf(span.attributes, operationOf(span));
      if (key === undefined) continue;
      count += 1;
      const list = roots.get(key);
      if (list === undefined) roots.set(key, [{ trace, index }]);
      else list.push({ trace, index });
    }
  }
  return roots;
}

/** Method and path, or the remote procedure: what both sides of a call record. Paths that say nothing are none. */
function keyOf(attributes: Attributes, name: string): string | undefined {
  const method = wordOf(attributes, "rpc.method");
  if (method !== undefined) {
    return `${wordOf(attributes, "rpc.service") ?? ""}/${method}`.replace(/^.*\/(?=.*\/)/, "");
  }
  const verb =
    wordOf(attributes, "http.request.method", "http.method") ?? /^([A-Z]{3,7}) \//.exec(name)?.[1];
  const url = wordOf(attributes, "url.full", "http.url", "url.path", "http.target", "http.route");
  if (verb === undefined || url === undefined) return undefined;
  const path = urlTarget(url).target.split("?", 1)[0] ?? "/";
  if (path === "/" || /\/(?:health|healthz|livez|readyz|ping|metrics|status)$/.test(path)) {
    return undefined;
  }
  return `${verb.toUpperCase()} ${path}`;
}
