/** How a system fails: the mechanisms that symptoms show and that changes can set off. */

/** In the order in which one is named where several are as strong: the specific first. */
export const mechanisms = [
  "names",
  "certificate",
  "access",
  "outage",
  "infrastructure",
  "traffic",
  "crash",
  "memory",
  "descriptors",
  "pool",
  "repeated-work",
  "lock",
  "schema",
  "rate-limit",
  "disk",
  "cache",
  "retry",
  "cpu",
  "connection",
  "timeout",
  "errors",
  "latency",
] as const;
export type Mechanism = (typeof mechanisms)[number];

/** How far something explains each mechanism, from 0 to 1. */
export type Explains = Partial<Readonly<Record<Mechanism, number>>>;

/** Mechanisms that nearly every failure shows in the end. */
export const genericMechanisms: ReadonlySet<Mechanism> = new Set([
  "connection",
  "timeout",
  "errors",
  "latency",
]);

/** Mechanisms that mostly come from outside: nothing in the code has to change for them. */
export const outerMechanisms: ReadonlySet<Mechanism> = new Set([
  "names",
  "certificate",
  "outage",
  "infrastructure",
  "traffic",
]);

/** Words by which messages and names of metrics show a mechanism. */
const words: readonly (readonly [Mechanism, RegExp])[] = [
  [
    "names",
    /no such host|enotfound|nxdomain|servfail|eai_again|name[- ]resol|getaddrinfo|could not resolve|unknown ?host|server misbehaving|\bdns\b|coredns|resolver error|name or service not known|lookup \S+ on \S+:53/i,
  ],
  [
    "certificate",
    /x509|certificate (?:has )?expired|certificate verif|cert(?:ificate)? (?:is )?not (?:yet )?valid|expired cert|tls handshake|ssl(?:error| handshake)|unknown authority|pkix/i,
  ],
  [
    "access",
    /\b40[13]\b|unauthori[sz]ed|forbidden|permission denied|access denied|invalid (?:api[_ ]?key|token|credentials)|authentication failed|password authentication|signature (?:mismatch|invalid)|jwt/i,
  ],
  [
    "outage",
    /\boutage\b|provider (?:is )?(?:down|degraded)|third[- ]party|upstream provider|vendor|region (?:is )?(?:down|unavailable|impaired)|major incident|service disruption|availability zone/i,
  ],
  [
    "infrastructure",
    /node (?:not ?ready|pressure|down|drain)|notready|kernel|hypervisor|packet loss|network partition|i\/o error|read-only file system|preempt|spot instance|noisy neighbou?r|cpu steal|clock skew|\bntp\b/i,
  ],
  [
    "traffic",
    /load shedding|shedding load|server overloaded|elevated (?:request )?(?:volume|traffic)|traffic (?:surge|spike)|flash sale|worker pool saturated|desired replicas increase|request queued|overload/i,
  ],
  [
    "crash",
    /panic:|nil pointer|null ?pointer|nullreference|segfault|sigsegv|index out of (?:range|bounds)|undefined is not|cannot read propert|of (?:undefined|null)\b|nonetype|attributeerror|keyerror|typeerror|classcast|stack overflow|unhandled (?:exception|rejection)|assertion|unwrap\(\)|concurrent map|crashloop|panic_count|illegalstate|zerodivision|divide by zero/i,
  ],
  [
    "memory",
    /oom|out of memory|memory limit|heap (?:growing|space|usage)|gc (?:pause|overhead|pressure)|allocation failed|memory_rss|memory leak|cannot allocate/i,
  ],
  [
    "descriptors",
    /too many open files|emfile|file descriptors?|goroutines? (?:count|growing|leak)|goroutine_count|socket leak|thread leak|unable to create (?:new )?(?:native )?thread/i,
  ],
  [
    "pool",
    /pool (?:is )?(?:exhausted|saturat|timeout|empty)|pool[_ ](?:wait|in_use)|acquir\w+ (?:a )?connection|too many (?:connections|clients)|connection pool|no (?:available|free) connection|max(?:imum)? (?:number of )?connections|remaining connection slots|hikaripool/i,
  ],
  [
    "repeated-work",
    /\bn\+1\b|quer(?:y|ies)_count_per|queries per request|query_count|repeated quer|duplicate quer|fan[- ]?out/i,
  ],
  [
    "lock",
    /deadlock|lock wait|could not obtain lock|lock timeout|blocked (?:by|on)|contention|mutex|serialization failure/i,
  ],
  [
    "schema",
    /(?:column|relation|table|field) \S+ (?:does not exist|not found|unknown)|unknown (?:column|field)|cannot (?:un)?marshal|deseriali[sz]|unmarshal|missing required (?:field|property)|schema (?:mismatch|violation|validation)|invalid (?:json|payload|type)|undefined column|no such (?:column|table)|parse error|decode error|incompatible/i,
  ],
  ["rate-limit", /\b429\b|rate[- ]?limit|too many requests|quota exceeded|throttl/i],
  ["disk", /no space left|disk (?:is )?full|enospc|disk (?:usage|pressure)|inode/i],
  ["cache", /cache (?:miss|stampede|hit)|cache_(?:miss|hit)|hit[_ ]ratio|evict|thundering/i],
  ["retry", /retry storm|retries exhausted|retrying|retry_count|retries_total|attempt \d+/i],
  [
    "cpu",
    /cpu (?:throttl|usage|saturat|pegged|limit)|cpu_|event loop (?:lag|blocked)|regex|backtrack|hot loop|busy loop/i,
  ],
  [
    "connection",
    /connection (?:refused|reset|closed)|econnrefused|econnreset|unreachable|broken pipe|no route to host|bad gateway|\b502\b/i,
  ],
  ["timeout", /time[d]?[- ]?out|deadline exceeded|etimedout|context deadline|\b504\b/i],
  ["latency", /slow (?:request|query)|latency|duration_p\d\d|took \d+ ?ms|response time/i],
  ["errors", /error|failed|failure|exception|5xx|\b500\b/i],
];

/** The mechanisms whose words stand in a text. */
export function mechanismsIn(text: string): Mechanism[] {
  return words.filter(([, pattern]) => pattern.test(text)).map(([mechanism]) => mechanism);
}

/** What a mechanism is called in a sentence. */
export const mechanismWords: Readonly<Record<Mechanism, string>> = {
  names: "names that do not resolve",
  certificate: "certificates that are not accepted",
  access: "refused access",
  outage: "an outage outside",
  infrastructure: "a fault of the infrastructure",
  traffic: "more traffic than there is capacity for",
  crash: "crashes",
  memory: "growing memory",
  descriptors: "descriptors or threads that are never given back",
  pool: "an exhausted pool",
  "repeated-work": "work repeated for every item",
  lock: "waiting for locks",
  schema: "data in another form than expected",
  "rate-limit": "refusals by a rate limit",
  disk: "a full disk",
  cache: "a cache that no longer helps",
  retry: "retries",
  cpu: "work of the processor",
  connection: "refused connections",
  timeout: "timeouts",
  errors: "errors",
  latency: "slowness",
};
