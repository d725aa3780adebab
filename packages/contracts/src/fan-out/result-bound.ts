/** Whether a statement or an address says how much it asks for at most. */

import type { Call } from "../traces/call.ts";
import { isPageParameter } from "../traces/url-template.ts";

/** `bounded` by a limit, `keyed` by what names one thing or by an aggregate, else `open`. */
export type ResultBound = "bounded" | "keyed" | "open";

/** How a read is bounded; `undefined` for a call that reads no list, or whose text is cut. */
export function boundOf(call: Call): ResultBound | undefined {
  if (!call.isRead || call.truncated) return undefined;
  if (call.kind === "http") return boundOfAddress(call);
  return call.kind === "database" ? boundOfStatement(call) : undefined;
}

function boundOfStatement({ shape, batch, target }: Call): ResultBound | undefined {
  if (/^\s*[{[]/.test(target)) return boundOfDocument(target);
  if (!/^(?:\(*select|with|table)\b/.test(shape)) return undefined;
  if (limits.test(shape)) return "bounded";
  if (batch.isBatch || batch.isHidden === true) return "keyed";
  if (aggregates.test(shape) && !/\bgroup by\b/.test(shape)) return "keyed";
  // What is read without a table is a function's answer.
  if (!/\bfrom\b/.test(shape)) return "keyed";
  return keys.test(shape) ? "keyed" : "open";
}

const limits =
  /\blimit (?:\?|\d)|\bfetch (?:first|next)\b|\btop ?\(? ?\?|\brownum\b|\brow_number ?\(|\bsample\b/;
const aggregates =
  /^select (?:distinct )?(?:count|sum|avg|min|max|exists|bool_or|bool_and|coalesce|array_agg|json_agg|jsonb_agg|string_agg|group_concat)\(|^select exists\b|^select \? as \w+ from\b/;
/** Equality with a column whose name promises one row. */
const keys =
  /(?:^|[ .(])(?:id|uuid|guid|pk|_id|key|email|slug|sku|token|code|username|login|hash)\b ?= ?\?/;

/** A query of a document store; what stands in it as `limit`, `size` or a key bounds it. */
function boundOfDocument(query: string): ResultBound {
  if (/["']?(?:\$?limit|size|batchSize|maxTimeMS)["']?\s*:/.test(query)) return "bounded";
  if (/["']?(?:_id|id)["']?\s*:|\$count|\$group/.test(query)) return "keyed";
  return "open";
}

function boundOfAddress({ target, shape }: Call): ResultBound {
  const [path = "", query = ""] = target.split("?", 2);
  const names = query.split("&").map((pair) => pair.split("=", 1)[0] ?? "");
  if (names.some((name) => isPageParameter(name) || pageSizes.test(name))) return "bounded";
  // The last word of an address names one thing when it is an id, and a list when it is plural.
  const last = shape.split("?", 1)[0]?.split("/").at(-1) ?? "";
  return last === "{id}" || !/s$/i.test(path) ? "keyed" : "open";
}

const pageSizes =
  /^(?:limit|per_?page|page_?size|size|count|top|take|max_?results|first|last|rows|n)$/i;
