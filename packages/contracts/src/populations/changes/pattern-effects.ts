/** Effects that a line shows by itself, when it comes and none like it goes, or the other way round. */

import type { Effect } from "./effect.ts";
import type { Explains } from "./mechanism.ts";
import type { NetLines } from "./net-lines.ts";

interface Rule {
  readonly side: "added" | "removed";
  readonly pattern: RegExp;
  readonly words: string;
  readonly explains: Explains;
}

const slowQuery: Explains = {
  latency: 0.85,
  cpu: 0.8,
  timeout: 0.7,
  pool: 0.6,
  memory: 0.4,
  lock: 0.3,
};

const rules: readonly Rule[] = [
  {
    side: "added",
    pattern: /\b(?:time\.Sleep|Thread\.sleep|asyncio\.sleep|usleep|sleep)\s*\(/,
    words: "waits",
    explains: { latency: 1, timeout: 0.8, pool: 0.5 },
  },
  {
    side: "added",
    pattern:
      /\b(?:\w*[mM]u(?:tex)?\.R?Lock\(|synchronized\b|ReentrantLock|\.lock\(|\.acquire\(\))|FOR UPDATE|LOCK TABLE/,
    words: "takes a lock",
    explains: { lock: 0.95, latency: 0.75, timeout: 0.6, pool: 0.4 },
  },
  {
    side: "removed",
    pattern: /\b\w*[mM]u(?:tex)?\.R?Lock\(|\bsynchronized\b|sync\.Map|ConcurrentHashMap|\batomic\./,
    words: "no longer takes a lock",
    explains: { crash: 0.7, errors: 0.4 },
  },
  {
    side: "removed",
    pattern:
      /Promise\.all|errgroup|sync\.WaitGroup|asyncio\.gather|parallelStream|\bgo\s+func\b|ThreadPool/,
    words: "no longer does things at the same time",
    explains: { latency: 0.85, timeout: 0.6 },
  },
  {
    side: "added",
    pattern: /\b(?:\w+Sync\(|execSync|runBlocking|\.block\(\))/,
    words: "blocks",
    explains: { latency: 0.8, cpu: 0.5, timeout: 0.5 },
  },
  {
    side: "added",
    pattern: /\bDROP\s+(?:INDEX|KEY)\b|remove_index|dropIndex|drop_index/i,
    words: "drops an index",
    explains: { ...slowQuery, latency: 1, cpu: 0.95, timeout: 0.85, pool: 0.75 },
  },
  {
    side: "removed",
    pattern:
      /\bCREATE\s+(?:UNIQUE\s+)?INDEX\b|add_index|createIndex|@Index|db_index\s*=\s*True|index:\s*true/i,
    words: "takes out an index",
    explains: { ...slowQuery, latency: 1, cpu: 0.95 },
  },
  {
    side: "removed",
    pattern: /\bLIMIT\s+[$:?\d]|\.limit\(|\.take\(|\bWHERE\b/i,
    words: "takes out what kept a query small",
    explains: { ...slowQuery, memory: 0.8 },
  },
  {
    side: "added",
    pattern: /\bLIKE\s+['"]?%|\bILIKE\b|ORDER BY RANDOM|\bCROSS JOIN\b|SELECT\s+DISTINCT/i,
    words: "asks the database for what no index helps with",
    explains: slowQuery,
  },
  {
    side: "added",
    pattern: /\bALTER\s+TABLE\b(?!.*\bDROP\b)(?!.*\bRENAME\b)|\bVACUUM FULL\b|\bREINDEX\b/i,
    words: "changes a table under load",
    explains: { lock: 0.9, schema: 0.6, latency: 0.7, timeout: 0.6, pool: 0.5 },
  },
  {
    side: "added",
    pattern:
      /\bDROP\s+(?:COLUMN|TABLE)\b|\bRENAME\s+(?:COLUMN|TO)\b|rename_column|drop_column|dropColumn/i,
    words: "takes a column or a table away",
    explains: { schema: 1, errors: 0.8, crash: 0.4 },
  },
  {
    side: "removed",
    pattern:
      /json:"\w+|@JsonProperty|@SerializedName|\bprotobuf:"|^\s*(?:optional |repeated )?\w+ \w+ = \d+;|db:"\w+"|@Column/,
    words: "changes how a field is called",
    explains: { schema: 0.95, errors: 0.6, crash: 0.5 },
  },
  {
    side: "removed",
    pattern:
      /@Cacheable|memoize|lru_cache|Cache-Control|\.cached\(|\w*[cC]ache\w*(?:\.|->)\s*(?:\w*[gG]et|\w*[sS]et|\w*[pP]ut|fetch|remember)\w*\(/,
    words: "no longer uses a cache",
    explains: {
      cache: 1,
      "repeated-work": 0.85,
      latency: 0.85,
      cpu: 0.7,
      pool: 0.6,
      traffic: 0.5,
      timeout: 0.5,
    },
  },
  {
    side: "added",
    pattern: /(?:cache|redis).{0,24}[kK]ey\s*[:=(]|[kK]ey.{0,24}cache/,
    words: "changes the key of a cache",
    explains: { cache: 0.9, latency: 0.6, memory: 0.6, "repeated-work": 0.5 },
  },
  {
    side: "added",
    pattern:
      /\b(?:for|while)\b.*\b(?:retry|attempt)|\bretry\w*\(|@Retry|\.retry\(|with_retry|Retry\(/i,
    words: "tries again after a failure",
    explains: { retry: 0.9, traffic: 0.7, "rate-limit": 0.7, latency: 0.5, pool: 0.4 },
  },
  {
    side: "added",
    pattern:
      /\([^()]*[+*]\)[+*]|\(\.\*\)[+*]|(?:regexp\.MustCompile|re\.compile|new RegExp|Pattern\.compile)\(/,
    words: "matches a pattern that can take long",
    explains: { cpu: 0.8, latency: 0.7, timeout: 0.4 },
  },
  {
    side: "added",
    pattern:
      /\b(?:bcrypt|scrypt|argon2|pbkdf2|gzip|zlib|brotli|json\.(?:Marshal|dumps|loads)|JSON\.(?:parse|stringify)|deepcopy|cloneDeep)\b/i,
    words: "does work that costs the processor much",
    explains: { cpu: 0.55, latency: 0.45, memory: 0.3 },
  },
  {
    side: "added",
    pattern:
      /\bgo\s+func\b|\bsetInterval\(|addEventListener\(|\bnew Thread\(|threading\.Thread|\.subscribe\(/,
    words: "starts something that goes on by itself",
    explains: { descriptors: 0.7, memory: 0.5, cpu: 0.4 },
  },
  {
    side: "added",
    pattern:
      /\b(?:io\.ReadAll|ioutil\.ReadAll|\.readlines\(\)|\.read\(\)|readAllBytes|toArray\(\)|findAll\(\)|\.all\(\)|fetchall\(\))/,
    words: "takes all of something into memory",
    explains: { memory: 0.85, latency: 0.6, cpu: 0.4 },
  },
  {
    side: "added",
    pattern:
      /http\.(?:Client|Transport)\{|new\s+\w*(?:Client|Pool|Connection)\(|sql\.Open\(|createPool\(|MongoClient\(|redis\.(?:New|create)\w*\(/,
    words: "makes a client or a pool of connections",
    explains: { descriptors: 0.7, pool: 0.6, connection: 0.6, memory: 0.4, latency: 0.3 },
  },
  {
    side: "added",
    pattern:
      /InsecureSkipVerify|minVersion|MinVersion|tls\.|ssl[_.]|ca_?file|cert_?file|certificate/i,
    words: "changes how certificates are used or checked",
    explains: { certificate: 0.95, connection: 0.7, access: 0.4 },
  },
  {
    side: "added",
    pattern:
      /\b(?:scope|role|permission|policy|audience|issuer|api_?key|secret_?name|credential)s?\b["']?\s*[:=]/i,
    words: "changes who may do what, or with which credential",
    explains: { access: 0.95, errors: 0.5 },
  },
  {
    side: "added",
    pattern:
      /\b(?:ndots|nameserver|dnsPolicy|dnsConfig|hostAliases|forward\s+\.|resolver|searches)\b/i,
    words: "changes how names are resolved",
    explains: { names: 1, connection: 0.6, timeout: 0.6 },
  },
  {
    side: "added",
    pattern: /\bkind:\s*NetworkPolicy|\begress\b|\bingress\b|securityGroup|firewall/i,
    words: "changes which connections are let through",
    explains: { connection: 0.95, timeout: 0.8, names: 0.4 },
  },
];

/** The effects of the rules whose lines are more on one side than on the other. */
export function patternEffects(path: string, { removed, added }: NetLines): Effect[] {
  return rules.flatMap(({ side, pattern, words, explains }) => {
    const [own, other] = side === "added" ? [added, removed] : [removed, added];
    const hits = own.filter((line) => pattern.test(line));
    const [first] = hits;
    const isNet = hits.length > other.filter((line) => pattern.test(line)).length;
    return first === undefined || !isNet ? [] : [{ words, explains, path, quote: first.trim() }];
  });
}
