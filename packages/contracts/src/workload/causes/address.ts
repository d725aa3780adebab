/** The other end of a connection, from a line that complains about it. */

/** File endings after which a number is a line, not a port. */
const fileEndings =
  /\.(?:go|py|js|mjs|cjs|ts|tsx|jsx|java|kt|rb|rs|c|cc|cpp|h|php|cs|ex|exs|scala|sh|pl|lua|yaml|yml|json|conf|swift)$/i;

const named: readonly RegExp[] = [
  /\(tried: ([^)\s,]{1,253})/,
  /\bhost "([^"]{1,253})"(?: \([^)]{1,64}\))?(?: and accepting TCP\/IP connections on|,)? port (\d{1,5})/,
  /\bserver at "([^"]{1,253})"(?: \([^)]{1,64}\))?, port (\d{1,5})/,
  /[Cc]onnect(?:ing)? to (?:host )?([\w.-]{1,253}) port (\d{1,5})/,
  /\bserver on '([^']{1,253})'/,
  /\b(?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ECONNRESET) ([\w.:-]{1,253}:\d{1,5})/,
  /\bdial (?:tcp|udp) ([\w.:[\]-]{1,253}:\d{1,5})/,
  /\bhost[=:]\s*'?"?([\w.-]{1,253})'?"?,?\s+port[=:]\s*'?(\d{1,5})/i,
];

/** `prod-db:3333`, `10.0.0.5:5432` or a URL's host; nothing where the line names no other end. */
export function addressIn(line: string): string | undefined {
  for (const pattern of named) {
    const [, host, port] = pattern.exec(line) ?? [];
    if (host !== undefined) return port === undefined ? host : `${host}:${port}`;
  }
  const url = /\b[a-z][a-z0-9+]{1,15}:\/\/(?:[^@/\s]{1,128}@)?([\w.-]{1,253}(?::\d{1,5})?)/i.exec(
    line,
  );
  if (url?.[1] !== undefined) return url[1];
  for (const [, host, port] of line.matchAll(
    /\b([A-Za-z][\w.-]{0,252}|\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})\b/g,
  )) {
    if (host !== undefined && !fileEndings.test(host)) return `${host}:${port ?? ""}`;
  }
  return undefined;
}
