/** Which host a line of a log says could not be called, in the words of the usual clients, proxies and runtimes. */

/** Characters of a line that are looked at. */
const lineLengthMax = 2_048;

/** Words by which a line says that a call went wrong, rather than that it was made. */
const failedCall =
  /connection refused|refused to connect|connect(?:ion)?\s(?:to\s\S{1,253}\s)?(?:error|failed|failure|refused|timed out|reset|closed)|ECONN(?:REFUSED|RESET|ABORTED)|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|UnknownHostException|ConnectException|no such host|not known|could not resolve|name resolution|no route to host|dial tcp|upstream connect error|connect\(\) failed|upstream timed out|no healthy upstream|deadline.exceeded|i\/o timeout|timed out|read timeout|UNAVAILABLE|(?:failed|unable|could not|cannot)\s(?:to\s)?(?:call|connect|reach|fetch|get|post|send|request)|I\/O error on (?:GET|POST|PUT|DELETE|PATCH)|\b50[234]\b/i;

const name = String.raw`([a-z](?:[a-z0-9_-]{0,62}[a-z0-9])?(?:\.[a-z0-9-]{1,63}){0,6})`;
/** Lines of code are written as ports are. */
const fileEnd = String.raw`\.(?:go|py|rb|rs|js|jsx|mjs|cjs|ts|tsx|java|kt|scala|cs|fs|php|ex|exs|erl|c|cc|cpp|h|swift|lua|log|conf|ya?ml|json)`;
/** Where a host stands, the surest first. */
const places: readonly RegExp[] = [
  // outbound|8080||payment.shop.svc.cluster.local, as Envoy names a cluster
  new RegExp(String.raw`outbound\|\d{1,5}\|[^|\s]{0,63}\|${name}`, "i"),
  // http://payment:8080/charge, postgres://user@db/shop
  new RegExp(
    String.raw`\b[a-z][a-z0-9+]{1,20}:\/\/(?:[^@\/\s"']{0,128}@)?${name}(?=[:\/\s"'?,;)\]]|$)`,
    "i",
  ),
  // lookup payment on 10.0.0.10:53, getaddrinfo ENOTFOUND payment, Could not resolve host: payment
  new RegExp(
    String.raw`(?:\blookup|ENOTFOUND|EAI_AGAIN|resolve (?:host|hostname|name):?|UnknownHostException:|not known:|name resolution:?)\s{1,3}["']?${name}`,
    "i",
  ),
  // payment: Name or service not known
  new RegExp(
    String.raw`(?<![\w.-])["']?${name}["']?(?::\d{1,5})?:? (?:name or service not known|temporary failure in name)`,
    "i",
  ),
  // dial tcp payment:50051, ECONNREFUSED payment:50051, payment-svc:50051
  new RegExp(String.raw`(?<![\w.\/@-])${name}(?<!${fileEnd}):\d{2,5}(?![\d.])`, "i"),
];

/** The host that could not be called, in small letters; nothing where the line tells of no such call, or by an address alone. */
export function failedHostOf(text: string): string | undefined {
  const line = text.length > lineLengthMax ? text.slice(0, lineLengthMax) : text;
  if (!failedCall.test(line)) return undefined;
  for (const place of places) {
    const host = place.exec(line)?.[1];
    if (host !== undefined) return host.toLowerCase();
  }
  return undefined;
}
