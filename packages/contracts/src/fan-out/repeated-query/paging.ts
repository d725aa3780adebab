/** Tells pages of one result from calls that only name a page: what is paged changes its place, and brings many rows. */

import { isPageParameter } from "../../traces/url-template.ts";
import type { UnitCall } from "../../traces/unit.ts";

/** Whether these calls read one result page by page, as far as the record shows. */
export function isPaging(attempts: readonly UnitCall[], thingCountMin: number): boolean {
  const first = attempts[0];
  if (first?.call.isPaged !== true || bringsOneRowEach(attempts)) return false;
  return first.call.kind === "http"
    ? changesPage(attempts, thingCountMin)
    : mayChangeOffset(attempts);
}

/** A range over the column of the order, within the rows of one owner: pages of that owner, or one call per owner. */
export function mayBeKeysetPages(attempts: readonly UnitCall[]): boolean {
  if (bringsOneRowEach(attempts)) return false;
  return attempts.every(({ call }) => {
    const order = /\border by (\S+?)(?: (?:asc|desc))? limit \?$/.exec(call.shape)?.[1];
    const ranges = [...call.shape.matchAll(/([^\s(]+) [<>]=? ?\?/g)].map(([, column]) => column);
    return order !== undefined && ranges.includes(order);
  });
}

function bringsOneRowEach(attempts: readonly UnitCall[]): boolean {
  return attempts.every(({ call }) => call.rowCount !== undefined && call.rowCount <= 1);
}

/** Offsets that are recorded must differ; those that are bound may. */
function mayChangeOffset(attempts: readonly UnitCall[]): boolean {
  const offsets = attempts.map(
    ({ call }) => offsetPattern.exec(call.target)?.[1] ?? limitPattern.exec(call.target)?.[1],
  );
  const isBound = offsets.includes(undefined);
  return isBound || new Set(offsets).size * 2 > attempts.length;
}

/** A number, or the stand-in that redaction leaves for one. */
const offsetPattern = /\boffset\s+(\d+|'\[redacted-[\w-]+\]')/i;
const limitPattern = /\blimit\s+(\d+|'\[redacted-[\w-]+\]')\s*,/i;

/** Each call another page, of few things: one page of each of many things is a loop over them. */
function changesPage(attempts: readonly UnitCall[], thingCountMin: number): boolean {
  const pages = new Set<string>();
  const things = new Set<string>();
  for (const { call } of attempts) {
    const [path = "", query = ""] = call.target.split("?", 2);
    const pairs = query.split("&");
    const isPage = (pair: string): boolean => isPageParameter(pair.split("=", 1)[0] ?? "");
    pages.add(pairs.filter(isPage).join("&"));
    things.add(`${path}?${pairs.filter((pair) => !isPage(pair)).join("&")}`);
  }
  return (
    things.size < thingCountMin && pages.size > 1 && pages.size * things.size * 2 > attempts.length
  );
}
