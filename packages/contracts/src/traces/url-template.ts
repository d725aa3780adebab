/** Reduces URLs to the template of their path: segments that look like an id become `{id}`. */

export interface UrlTarget {
  /** Host and port, empty when the URL has none. */
  readonly host: string;
  /** The path with `{id}` for each id-like segment; parameter names of the query after it. */
  readonly template: string;
  /** Path and query as recorded: what tells two calls to one template apart. */
  readonly target: string;
  /** Values in the longest list that a parameter of the query carries: `ids=1,2,3` or `id=1&id=2`. */
  readonly valueCount: number;
  /** Whether a parameter of the query names a page, an offset or a cursor. */
  readonly isPaged: boolean;
}

/** Without `-` and `_`, in lower case. */
const pageParameters = new Set([
  "page",
  "pagenumber",
  "pageno",
  "pageindex",
  "offset",
  "skip",
  "start",
  "startat",
  "startindex",
  "from",
  "cursor",
  "after",
  "before",
  "pagetoken",
  "nexttoken",
  "nextpagetoken",
  "continuationtoken",
  "continuation",
  "continue",
  "marker",
  "sinceid",
  "maxid",
  "startingafter",
  "endingbefore",
  "page[number]",
  "page[offset]",
  "page[cursor]",
  "page[after]",
  "exclusivestartkey",
  "scrollid",
  "startafter",
  "partnumber",
  "resumptiontoken",
  "pagingtoken",
]);

/** Whether a parameter of a query names a page, an offset or a cursor. */
export function isPageParameter(name: string): boolean {
  return pageParameters.has(name.toLowerCase().replace(/[-_]/g, ""));
}

/** Takes a URL, absolute or not, apart. `route` is a template that the instrumentation already knows. */
export function urlTarget(url: string, route?: string): UrlTarget {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url);
  const host = (absolute?.[1] ?? "").replace(/^[^@]*@/, "").toLowerCase();
  const rest = (absolute === null ? url : url.slice(absolute[0].length)).split("#", 1)[0] ?? "";
  const queryStart = rest.indexOf("?");
  const path = queryStart === -1 ? rest : rest.slice(0, queryStart);
  const names = queryStart === -1 ? [] : parameterNames(rest.slice(queryStart + 1));
  const pathTemplate = route === undefined ? templateOfPath(path) : normaliseRoute(route);
  const query = names.length === 0 ? "" : `?${names.join("&")}`;
  return {
    host,
    template: `${pathTemplate}${query}`,
    target: rest === "" ? "/" : rest,
    valueCount: queryStart === -1 ? 0 : longestList(rest.slice(queryStart + 1)),
    isPaged: names.some(isPageParameter),
  };
}

/** A path whose id-like segments are `{id}`. */
export function templateOfPath(path: string): string {
  const template = path
    .split("/")
    .map((segment) => (looksLikeId(segment) ? "{id}" : segment))
    .join("/");
  return template === "" ? "/" : template.replace(/([^/])\/+$/, "$1").replace(/^\/+$/, "/");
}

/** Whether a path segment, or a word of a span's name, is an identifier rather than a name. */
export function looksLikeId(segment: string): boolean {
  if (segment === "" || segment.length > 512) return segment !== "";
  // Every rule below asks for a digit or an address of mail, except for a UUID that happens to have letters only.
  if (segment.length < 32 && !/[\d@%]/.test(segment)) return false;
  if (/^\d+$/.test(segment)) return true;
  if (/^v\d{1,3}(?:\.\d{1,3})?$/i.test(segment)) return false;
  if (/^\[redacted-[a-z-]+-\d+\]$/.test(segment)) return true;
  const plain = segment
    .replace(/%40/g, "@")
    .replace(/%[0-9a-f]{2}/gi, "_")
    .replace(/(.)\.(?:json|xml|html?|csv|pdf|txt|png|jpe?g)$/i, "$1");
  if (/^[+-]?\d+(?:[.,:]\d+)*$/.test(plain)) return true;
  if (/^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(plain)) return true;
  if (/^[0-9a-f]{12,}$/i.test(plain) && /\d/.test(plain)) return true;
  if (isShortHash(plain)) return true;
  // A date, or a number with a title after it: `1343-turtles`.
  if (/^\d{4}-\d{2}-\d{2}|^\d{2,}-[a-z]/i.test(plain)) return true;
  if (/^[^@\s]+@[^@\s]+\.[a-z]{2,}$/i.test(plain)) return true;
  // A name with a number at its end (`order-17`, `SKU_0042`, `cus42`), but not a word with a version.
  if (
    /^[a-z]{1,12}[-_:.~]?\d{2,}$/i.test(plain) &&
    !/^(?:utf|sha|md|http|ipv|base|oauth|s)\d+$/i.test(plain)
  ) {
    return true;
  }
  if (/^[a-z]{1,12}[-_:]\d+$/i.test(plain)) return true;
  // Long tokens that mix cases and digits are generated: ULID, KSUID, nanoid, Stripe's and the like.
  return plain.length >= 16 && /\d/.test(plain) && /[a-z]/i.test(plain) && !/[.]/.test(plain);
}

/** `be9a25322d`, but no word that happens to have the letters of a hash, such as `defaced12`. */
function isShortHash(plain: string): boolean {
  if (!/^[0-9a-f]{7,11}$/i.test(plain)) return false;
  return /[a-f]/i.test(plain) && plain.replace(/\D/g, "").length >= 3;
}

/** `/users/:id`, `/users/<int:id>`, `/users/*` and `/users/{userId}` all become `/users/{id}`. */
function normaliseRoute(route: string): string {
  const path = route.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "").split("?", 1)[0] ?? "";
  return templateOfPath(
    path
      .split("/")
      .map((segment) => (/^[:*]|[{<].*[}>]|^\[.*\]$|^\$\w/.test(segment) ? "{id}" : segment))
      .join("/"),
  );
}

function parameterNames(query: string): string[] {
  const names = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => pair.split("=", 1)[0] ?? "");
  return [...new Set(names)].sort();
}

function longestList(query: string): number {
  const counts = new Map<string, number>();
  for (const pair of query.split("&")) {
    const [name = "", value = ""] = pair.split("=", 2);
    const values = value === "" ? 0 : value.split(/,|%2c/i).length;
    // Only a name that may stand for things makes its commas a list of them.
    if (/id|key|sku|name|code|slug|filter/i.test(name)) {
      counts.set(name, (counts.get(name) ?? 0) + values);
    }
  }
  return Math.max(0, ...counts.values());
}
