/** Causes that lie in what a process needs from elsewhere, and in what it has of memory and disk. */

import { addressIn } from "./address.ts";
import type { Cause, CauseRule } from "./cause.ts";

const hostPatterns: readonly RegExp[] = [
  /Could(?: not|n't) resolve host(?:name)?:? '?"?([\w.-]{1,253})/i,
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]{1,253})/,
  /\b(?:lookup|resolving|resolve) '?"?([\w.-]{1,253})'?"?(?: on [\w.:[\]]{1,64})?[:,]? (?:no such host|server misbehaving|: ?Temporary failure|i\/o timeout|failed)/i,
  /UnknownHostException: ([\w.-]{1,253})/,
  /could not translate host name "([^"]{1,253})"/,
  /bad address '([^']{1,253})'/,
  /(?:Unknown|Unresolved|Invalid) (?:MySQL server |)host(?:name)?:? '?([\w.-]{1,253})/i,
  /host not found in (?:upstream|resolver)? ?"([^"]{1,253})"/,
  /(?:Failed to resolve|Temporary failure resolving|unable to resolve(?: host)?(?: address)?|cannot resolve|Could not resolve)(?: host(?:name)?)?:? '?"?`?([\w.-]{1,253})/i,
  /(?:server can't find|NXDOMAIN[^\n]{0,40}?) ([\w.-]{1,253})/,
  /([\w.-]{1,253}): (?:Name or service not known|Name does not resolve|Temporary failure in name resolution|nodename nor servname provided)/,
  /HTTPConnectionPool\(host='([^']{1,253})'[^\n]{0,400}(?:NameResolutionError|Name or service not known|Temporary failure in name resolution)/,
];

const names: readonly CauseRule[] = [
  ...hostPatterns.map((pattern): CauseRule => ({
    weight: 3,
    pattern,
    cause: (match) => unresolved(match[1]),
  })),
  {
    weight: 2,
    pattern:
      /no such host|Name or service not known|Temporary failure in name resolution|Name does not resolve|NXDOMAIN|ENOTFOUND|EAI_AGAIN/,
    cause: (_match, line) => unresolved(addressIn(line)),
  },
];

function unresolved(host: string | undefined): Cause {
  const name = host?.replace(/\.+$/, "");
  return {
    causeKind: "dependency",
    because:
      name === undefined || name === ""
        ? "a host name that it needs could not be resolved"
        : `the host name ${name} could not be resolved to an address`,
    fix: `Correct the host name${name === undefined ? "" : ` ${name}`} in its settings, or create the Service or DNS record that it names (a Service of another namespace needs its namespace in the name).`,
    nextCheck: `nslookup ${name ?? "HOST"} from a pod of the same namespace`,
    isDependency: true,
  };
}

const refusals =
  /connection refused|ECONNREFUSED|actively refused|Connection to \S{1,253} refused|Is the server running on|Can't connect to|No connection could be made/i;
const timeouts =
  /connect(?:ion)?(?: attempt)? timed? ?out|i\/o timeout|ETIMEDOUT|dial tcp [^\n]{1,200} timeout|context deadline exceeded|Connection timed out|timeout expired|no route to host|EHOSTUNREACH|network is unreachable|ENETUNREACH/i;
const failures =
  /(?:failed|unable|cannot|could not|couldn't|error|can not) (?:to )?(?:connect|connecting|reach|establish|open a connection)|connection (?:failed|error|to \S{1,253} failed)|host\(s\) tried for|NoBrokersAvailable|Communications link failure|MongoNetworkError|MongoServerSelectionError|ServerSelectionTimeoutError|no available connection|Failed to connect|NoHostAvailable|connection (?:was )?(?:reset|closed) by (?:peer|remote)|ECONNRESET|ConnectionError|connect(?:ion)? (?:exception|failure)|(?:database|db|redis|kafka|mysql|postgres|mongo\w*|rabbitmq|broker|upstream|backend) (?:is |was )?(?:unavailable|unreachable|not available|not reachable|not ready|down)/i;

const connections: readonly CauseRule[] = [
  {
    weight: 3,
    pattern: refusals,
    cause: (_match, line) => unreachable("connection refused", line),
  },
  {
    weight: 3,
    pattern: timeouts,
    cause: (_match, line) => unreachable("time-out or no route", line),
  },
  { weight: 2, pattern: failures, cause: (_match, line) => unreachable("", line) },
];

function unreachable(how: string, line: string): Cause | undefined {
  const address = addressIn(line);
  const service = dependencyIn(line);
  if (address === undefined && service === undefined && how === "") return undefined;
  const what = [service ?? "its dependency", ...(address === undefined ? [] : [`at ${address}`])];
  return {
    causeKind: "dependency",
    because: `it fails to connect to ${what.join(" ")}${how === "" ? "" : ` (${how})`}`,
    fix: `Make ${what.join(" ")} reachable (is it running, has its Service endpoints, is the port right, does a network policy block it), or correct the address in the settings.`,
    nextCheck: `kubectl get svc,endpoints -A shows whether ${address ?? "the dependency"} exists and has ready endpoints`,
    isDependency: true,
  };
}

function dependencyIn(line: string): string | undefined {
  const found =
    /\b(database|db|redis|kafka|mysql|mariadb|postgres(?:ql)?|mongo(?:db)?|rabbitmq|elasticsearch|opensearch|zookeeper|etcd|memcached|cassandra|vault|broker)\b/i.exec(
      line,
    )?.[1];
  if (found === undefined) return undefined;
  return /^db$/i.test(found) ? "the database" : `the ${found.toLowerCase()}`;
}

const waits: readonly CauseRule[] = [
  {
    weight: 2,
    pattern: /\bwaiting (?:for|on)(?: the| service| host| pod)? '?"?([\w.:-]{2,253})/i,
    cause: (match) => ({
      causeKind: "dependency",
      because: `it waits for ${match[1]?.replace(/[.:]+$/, "") ?? ""}, which does not come`,
      fix: `Start ${match[1]?.replace(/[.:]+$/, "") ?? "what it waits for"}, or correct its name.`,
      nextCheck: "kubectl get svc,endpoints in the namespace",
      isDependency: true,
    }),
  },
];

const access: readonly CauseRule[] = [
  {
    weight: 3,
    pattern:
      /password authentication failed for user "?([\w.-]{1,100})|Access denied for user '?([\w.-]{1,100})|Login failed for user '?([\w.-]{1,100})|role "([\w.-]{1,100})" does not exist/i,
    cause: (match) => refusedUser(match.slice(1).find((name) => name !== undefined)),
  },
  {
    weight: 3,
    pattern: /(?:database "([\w.-]{1,100})" does not exist|Unknown database '([\w.-]{1,100})')/i,
    cause: (match) => ({
      causeKind: "configuration",
      because: `the database ${match[1] ?? match[2] ?? ""} does not exist on the server`,
      fix: `Create the database ${match[1] ?? match[2] ?? ""}, or correct its name in the settings.`,
    }),
  },
  {
    weight: 3,
    pattern:
      /(?:relation|table|column|index) "?'?([\w.-]{1,150})'?"? (?:does not exist|doesn't exist)|no such (?:table|column): ([\w.-]{1,150})|Table '([\w.-]{1,150})' doesn't exist/i,
    cause: (match) => ({
      causeKind: "data",
      because: `${match[1] ?? match[2] ?? match[3] ?? "a table"} does not exist in the database: its schema is behind the release`,
      fix: "Run the migrations of this release, or deploy the release that fits the schema.",
    }),
  },
  {
    weight: 2,
    pattern:
      /WRONGPASS|NOAUTH|authentication (?:failed|failure|error)|invalid (?:credentials|password|api[ _-]?key|token|username)|SASL authentication|(?:401|403) (?:Unauthorized|Forbidden)|\bUnauthorized\b/i,
    cause: () => refusedUser(undefined),
  },
  {
    weight: 3,
    pattern:
      /x509: ([^\n]{1,200})|certificate verify failed:? ?([^\n]{0,120})|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|PKIX path (?:building|validation) failed|self[- ]signed certificate|certificate has expired/i,
    cause: (match) => ({
      causeKind: "configuration",
      because: `a certificate is not accepted: ${(match[1] ?? match[2] ?? match[0]).trim()}`,
      fix: "Renew the certificate, or give the container the authority that signed it.",
    }),
  },
];

function refusedUser(user: string | undefined): Cause {
  return {
    causeKind: "configuration",
    because: `the credentials${user === undefined ? "" : ` of user ${user}`} are refused`,
    fix: "Correct the user or the password in the Secret that the container reads.",
    nextCheck: "compare the Secret's keys, and when it was changed, with what the server knows",
  };
}

const capacity: readonly CauseRule[] = [
  {
    weight: 3,
    pattern:
      /java\.lang\.OutOfMemoryError(?:: ([\w ]{1,80}))?|JavaScript heap out of memory|fatal error: runtime: out of memory|runtime: out of memory|\bMemoryError\b|Cannot allocate memory|std::bad_alloc|Allowed memory size of \d+ bytes exhausted|Out of memory: Killed process|OutOfMemoryException/,
    cause: (match) => ({
      causeKind: "capacity",
      because: `its runtime ran out of memory (${match[0].trim()})`,
      fix: "Raise the heap of the runtime together with the memory limit, or find what grows.",
      nextCheck: "compare the heap setting of the runtime with the container's memory limit",
    }),
  },
  {
    weight: 3,
    pattern: /no space left on device|ENOSPC|Disk quota exceeded/i,
    cause: () => ({
      causeKind: "capacity",
      because: "a disk that it writes to is full (no space left on device)",
      fix: "Enlarge the volume or the emptyDir's sizeLimit, or remove old files.",
    }),
  },
  {
    weight: 3,
    pattern: /too many open files|EMFILE/i,
    cause: () => ({
      causeKind: "capacity",
      because: "it ran out of file descriptors (too many open files)",
      fix: "Raise the limit of open files, or close what is left open.",
    }),
  },
];

/** Rules in which the first that fits a line wins. */
export const dependencyCauses: readonly CauseRule[] = [
  ...names,
  ...access.slice(0, 3),
  ...connections.slice(0, 2),
  ...access.slice(3),
  ...connections.slice(2),
  ...waits,
  ...capacity,
];
