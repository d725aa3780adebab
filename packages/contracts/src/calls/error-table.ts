/**
 * The one table of which failures are worth another attempt. Sources: RFC 9110 section 15 and RFC 6585 for HTTP,
 * the gRPC project's description of its status codes, the error references of the model providers, and the
 * SQLSTATE classes of the SQL standard.
 */

/**
 * `never`: the same request gets the same answer. `later`: another attempt may succeed. `unclear`: it depends on
 * what the caller does in between, so nobody is blamed for trying again.
 */
export type Retryability = "never" | "later" | "unclear";

/** Names of gRPC's status codes by their numbers. */
export const grpcCodes = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

const grpcNever = new Set<string>([
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "FAILED_PRECONDITION",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "DATA_LOSS",
  "UNAUTHENTICATED",
]);
const grpcLater = new Set<string>(["DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"]);

/** What gRPC's own description says about another attempt. */
export function retryabilityOfGrpc(code: string): Retryability {
  if (grpcNever.has(code)) return "never";
  return grpcLater.has(code) ? "later" : "unclear";
}

/** Conflicts and preconditions depend on what was read before; 401 and 407 are challenges to be answered once. */
const httpUnclear = new Set([401, 407, 409, 412, 417, 421, 423, 424, 426, 428, 499]);
const httpLater = new Set([408, 425, 429]);
const httpNeverServer = new Set([501, 505, 506, 508, 510, 511]);

/** What RFC 9110 and its relatives say about sending the same request again. */
export function retryabilityOfHttp(status: number): Retryability {
  if (httpLater.has(status)) return "later";
  if (httpUnclear.has(status) || status < 400) return "unclear";
  if (status >= 500) return httpNeverServer.has(status) ? "never" : "later";
  return "never";
}

interface WordsRow {
  readonly pattern: RegExp;
  readonly retry: Retryability;
  /** What the failure is, in words that complete "The call failed with …". */
  readonly words: string;
}

/** These tell more than the status that they come with: a quota that is used up is also a 429. */
const decisiveWords: readonly WordsRow[] = [
  {
    pattern:
      /insufficient[_ ]?quota|billing[_ ](?:hard[_ ]limit|not[_ ]active)|credit balance is too low/i,
    retry: "never",
    words: "a quota or credit that is used up",
  },
  {
    pattern:
      /context[_ ]?length[_ ]?exceeded|maximum context length|context[_ ]window[_ ]?(?:exceeded|error)|prompt is too long|input is too long|too many tokens in (?:the )?(?:prompt|request)|string_above_max_length/i,
    retry: "never",
    words: "a prompt that exceeds the model's context",
  },
  {
    pattern: /content[_ ]?(?:policy|filter)|responsible_?ai|safety[_ ]violation/i,
    retry: "never",
    words: "a refusal by the content policy",
  },
];

/** For failures without a status: names of errors and what drivers say. The first that matches decides. */
const otherWords: readonly WordsRow[] = [
  {
    pattern:
      /certificate|\bx509\b|CERT_|UNABLE_TO_VERIFY|SELF_SIGNED|SSLHandshake|hostname mismatch/i,
    retry: "never",
    words: "a certificate that is not accepted",
  },
  {
    pattern:
      /invalid[_ ]?api[_ ]?key|authentication|unauthorized|unauthenticated|access[_ ]?denied|permission[_ ]?(?:denied|error)|forbidden|invalid[_ ]?(?:credentials|token|signature)|\b28P01\b|\b28000\b|\b42501\b/i,
    retry: "never",
    words: "missing authority",
  },
  {
    pattern:
      /validation|invalid[_ ]?(?:argument|request|input|parameter|format|json)|bad[_ ]?request|malformed|unprocessable|schema[_ ](?:error|mismatch)|illegalargument|parse ?(?:error|exception)|\b22(?:\d{3}|P02)\b|\b42(?:601|P01|703)\b/i,
    retry: "never",
    words: "a request that is not valid",
  },
  {
    pattern:
      /already[_ ]?exists|duplicate (?:key|entry)|unique[_ ]?(?:constraint|violation)|\b23505\b|conditionalcheckfailed|\bER_DUP_ENTRY\b/i,
    retry: "never",
    words: "something that exists already",
  },
  {
    pattern:
      /not[_ ]?found|no such (?:key|bucket|table|method)|resourcenotfound|unimplemented|not[_ ]implemented|unsupported|model_not_found/i,
    retry: "never",
    words: "something that does not exist",
  },
  {
    pattern:
      /rate[_ ]?limit|too many requests|throttl|resource[_ ]?exhausted|overloaded|unavailable|service_?busy|slow ?down|\b40001\b|\b40P01\b|deadlock|serialization|\b08\d{3}\b|\b57P0[123]\b|\b53300\b|try again|server[_ ]?error|connection/i,
    retry: "later",
    words: "a condition that passes",
  },
];

/** What an error's own words say, where they say more than its status does. */
export function decisiveWordsOf(text: string): WordsRow | undefined {
  return decisiveWords.find(({ pattern }) => pattern.test(text));
}

/** What the words of an error without a status say. */
export function otherWordsOf(text: string): WordsRow | undefined {
  return otherWords.find(({ pattern }) => pattern.test(text));
}
