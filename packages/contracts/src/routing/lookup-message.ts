/** Recognises, in what programs write, that a name could not be looked up. */

/** `unknown`: the answer was that no such name exists; `unanswered`: no server of names answered. */
export type LookupOutcome = "unknown" | "unanswered";

export interface LookupMessage {
  /** Empty where the message does not say which name it was. */
  readonly host: string;
  readonly outcome: LookupOutcome;
}

/** What any of the patterns needs to be there: most lines of a log are done after this. */
const hint =
  /no such host|resolve|name resolution|Error -[23] connecting|getaddrinfo|ENOTFOUND|EAI_AGAIN|UnknownHost|bad address|not known|NXDOMAIN|not found in upstream|could not be resolved|translate host|unknown mysql server|lookup|DNS|can't find|no servers could be reached|nodename nor servname/i;

const host = String.raw`["'\x60]?([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?)["'\x60]?`;

/** Each by the programs that write it; the first that fits tells. */
const patterns: readonly (readonly [RegExp, LookupOutcome])[] = [
  // Go, and all that is written in it: `dial tcp: lookup db on 10.96.0.10:53: no such host`.
  [new RegExp(String.raw`lookup ${host}(?: on \S+)?: (?:[^:]{0,80}: )*no such host`), "unknown"],
  [
    new RegExp(
      String.raw`lookup ${host}(?: on \S+)?: (?:.{0,120}(?:i/o timeout|connection refused|server misbehaving|Temporary failure|Try again)|.{0,40}SERVFAIL)`,
    ),
    "unanswered",
  ],
  // curl and git.
  [new RegExp(String.raw`[Cc]ould not resolve host(?:name)?:? ${host}`), "unknown"],
  [new RegExp(String.raw`Resolving timed out|[Cc]ould not resolve host: (?=$)`), "unanswered"],
  // Node.
  [new RegExp(String.raw`getaddrinfo ENOTFOUND ${host}`), "unknown"],
  [new RegExp(String.raw`getaddrinfo EAI_AGAIN ${host}`), "unanswered"],
  [new RegExp(String.raw`queryA{1,4} ENOTFOUND ${host}`), "unknown"],
  // Java.
  [new RegExp(String.raw`UnknownHostException: ${host}: Temporary failure`), "unanswered"],
  [new RegExp(String.raw`UnknownHostException: (?:Failed to resolve )?${host}`), "unknown"],
  // Python.
  [new RegExp(String.raw`Failed to resolve ${host} \(\[Errno -3\]`), "unanswered"],
  [new RegExp(String.raw`Failed to resolve ${host}`), "unknown"],
  [
    new RegExp(
      String.raw`host=${host}, port=\d+\).{0,300}(?:Name or service not known|nodename nor servname)`,
    ),
    "unknown",
  ],
  [
    new RegExp(String.raw`host=${host}, port=\d+\).{0,300}Temporary failure in name resolution`),
    "unanswered",
  ],
  [
    new RegExp(
      String.raw`Cannot connect to host ${host}:\d+ .{0,60}(?:Name or service not known|nodename nor)`,
    ),
    "unknown",
  ],
  [new RegExp(String.raw`Error -3 connecting to ${host}:\d+`), "unanswered"],
  [new RegExp(String.raw`Error -2 connecting to ${host}:\d+`), "unknown"],
  // libpq, MySQL, PHP, Ruby, Rust.
  [
    new RegExp(String.raw`could not translate host name ${host} to address: Temporary failure`),
    "unanswered",
  ],
  [new RegExp(String.raw`could not translate host name ${host} to address`), "unknown"],
  [new RegExp(String.raw`[Uu]nknown MySQL server host ${host}`), "unknown"],
  [
    new RegExp(String.raw`getaddrinfo (?:failed|for ${host} failed): Name or service not known`),
    "unknown",
  ],
  [
    new RegExp(String.raw`getaddrinfo(?:\(\))?(?: for)? ${host}.{0,40}Temporary failure`),
    "unanswered",
  ],
  [new RegExp(String.raw`No such host is known\.? \(${host}:\d+\)`), "unknown"],
  [new RegExp(String.raw`Name or service not known \(${host}:\d+\)`), "unknown"],
  // busybox, nslookup, dig, ping, ssh.
  [new RegExp(String.raw`bad address ${host}`), "unknown"],
  [new RegExp(String.raw`can't resolve ${host}`), "unknown"],
  [new RegExp(String.raw`server can't find ${host}: SERVFAIL`), "unanswered"],
  [new RegExp(String.raw`server can't find ${host}`), "unknown"],
  [new RegExp(String.raw`${host}: Name or service not known`), "unknown"],
  [new RegExp(String.raw`${host}: Temporary failure in name resolution`), "unanswered"],
  [/no servers could be reached/, "unanswered"],
  // nginx and envoy.
  [new RegExp(String.raw`host not found in (?:upstream|resolver) ${host}`), "unknown"],
  [new RegExp(String.raw`${host} could not be resolved \((?:2|110): `), "unanswered"],
  [new RegExp(String.raw`${host} could not be resolved`), "unknown"],
  // gRPC.
  [
    new RegExp(
      String.raw`DNS (?:resolution|query|lookup|server) (?:failed|error).{0,20}(?: for|:) ${host}`,
      "i",
    ),
    "unknown",
  ],
  // All that name nothing.
  [/Temporary failure in name resolution|EAI_AGAIN/, "unanswered"],
  [/Name or service not known|nodename nor servname provided|NXDOMAIN/, "unknown"],
];

const textLengthMax = 4_096;

/** What a message says of a failed lookup, or nothing when it speaks of something else. */
export function lookupIn(message: string): LookupMessage | undefined {
  const text = message.length > textLengthMax ? message.slice(0, textLengthMax) : message;
  if (!hint.test(text)) return undefined;
  for (const [pattern, outcome] of patterns) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const name = (match[1] ?? "").replace(/:\d+$/, "").replace(/\.$/, "");
    if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)) continue;
    return { host: name, outcome };
  }
  return undefined;
}
