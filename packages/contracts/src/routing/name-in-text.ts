/** Finds in texts the names of services that a process will look up. */

/** A name as it stands in a text. */
export interface NameInText {
  /** As written, without scheme and port. */
  readonly host: string;
  readonly port: number | undefined;
  /** The port that the scheme implies, where none is written. */
  readonly usualPort: number | undefined;
  /**
   * `cluster` has `.svc` in it, `url` stands behind a scheme, `address` is a host with a port or a host where one is
   * expected: the first two surely mean a host, the last is read from the name of its variable or option.
   */
  readonly form: "cluster" | "url" | "address";
}

const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** At most so much of one text is searched: arguments and configuration are short, and scripts repeat themselves. */
const textLengthMax = 65_536;
const namesPerTextMax = 100;

const usualPorts: Readonly<Record<string, number>> = {
  amqp: 5_672,
  amqps: 5_671,
  bolt: 7_687,
  clickhouse: 9_000,
  grpc: 0,
  grpcs: 0,
  http: 80,
  https: 443,
  kafka: 9_092,
  ldap: 389,
  mariadb: 3_306,
  memcached: 11_211,
  mongodb: 27_017,
  mqtt: 1_883,
  mysql: 3_306,
  nats: 4_222,
  postgres: 5_432,
  postgresql: 5_432,
  redis: 6_379,
  rediss: 6_379,
  smtp: 25,
  sqlserver: 1_433,
  tcp: 0,
  udp: 0,
  ws: 80,
  wss: 443,
};

const inCluster = new RegExp(
  `(?<![\\w.*$}{-])((?:_?${label}\\.)*${label}\\.${label})\\.svc(?:\\.((?:${label}\\.)*${label}))?(?:\\.?:(\\d{1,5}))?(?![\\w-])`,
  "g",
);
const inUrl =
  /(?<![\w.-])([a-z][a-z0-9]{1,15}):\/\/(?:[^\s/@"'`<>]{0,256}@)?([A-Za-z0-9][A-Za-z0-9.-]{0,252})(?::(\d{1,5}))?(?![\w-]*[@{$(])/g;

/** Names with `.svc` and hosts of URLs, in any text. */
export function namesInText(text: string): NameInText[] {
  const body = text.slice(0, textLengthMax);
  const names: NameInText[] = [];
  for (const match of body.matchAll(inCluster)) {
    const [, host = "", domain, port] = match;
    names.push({
      host: `${host}.svc${domain === undefined ? "" : `.${domain}`}`,
      port: port === undefined ? undefined : Number(port),
      usualPort: schemeBefore(body, match.index),
      form: "cluster",
    });
    if (names.length >= namesPerTextMax) return names;
  }
  for (const [, scheme = "", host = "", port] of body.matchAll(inUrl)) {
    const usual = usualPorts[scheme];
    if (usual === undefined || /\.svc(?:\.|$)/.test(host) || !isHostName(host)) continue;
    names.push({
      host,
      port: port === undefined ? undefined : Number(port),
      usualPort: usual === 0 ? undefined : usual,
      form: "url",
    });
    if (names.length >= namesPerTextMax) return names;
  }
  return names;
}

function schemeBefore(text: string, at: number): number | undefined {
  const scheme = /([a-z][a-z0-9]{1,15}):\/\/(?:[^\s/@]*@)?$/.exec(
    text.slice(Math.max(0, at - 300), at),
  )?.[1];
  return scheme === undefined ? undefined : usualPorts[scheme] || undefined;
}

const placeholders =
  /^(?:localhost|localhost\..*|host|hostname|example|your-.*|my-?host|server|user|undefined|null|none|true|false|.*\.local(?:domain)?|\d+(?:\.\d+)*)$/;

/** A name in lower case that somebody could have given to a host, and no stand-in for one. */
function isHostName(host: string): boolean {
  return new RegExp(`^(?:${label}\\.)*${label}$`).test(host) && !placeholders.test(host);
}

const addressVariable =
  /(?:^|_)(?:HOST|HOSTS|HOSTNAME|ADDR|ADDRESS|ADDRESSES|URL|URI|ENDPOINT|ENDPOINTS|SERVER|SERVERS|BROKER|BROKERS|UPSTREAM|BACKEND|DSN)$/i;
const ownVariable =
  /^(?:HOST|HOSTNAME|SERVER|SERVER_NAME|NODE_NAME|POD_NAME|VIRTUAL_HOST|.*(?:LISTEN|BIND|ADVERTISED?|SMTP_HELO|ALLOWED|PUBLIC|EXTERNAL|COOKIE|SNI|NAME)_.*)$/i;
const otherVariable = /IMAGE|TAG|VERSION|LABEL|SELECTOR/i;

/** The names in the value of a variable, in which a bare word can be a host. */
export function namesInVariable(name: string, value: string): NameInText[] {
  const found = namesInText(value);
  if (found.length > 0 || otherVariable.test(name) || ownVariable.test(name)) return found;
  const expectsHost = addressVariable.test(name);
  return value
    .trim()
    .split(/\s*[,;]\s*/)
    .slice(0, namesPerTextMax)
    .flatMap((word) => addressOf(word, expectsHost));
}

/** `redis:6379`, or `redis` where a host is expected. */
function addressOf(word: string, expectsHost: boolean): NameInText[] {
  const [, host = "", port] =
    new RegExp(`^((?:${label}\\.)*${label})(?::(\\d{2,5}))?$`).exec(word) ?? [];
  if (host === "" || !/[a-z]/.test(host) || !isHostName(host)) return [];
  if (port === undefined && !expectsHost) return [];
  return [
    {
      host,
      port: port === undefined ? undefined : Number(port),
      usualPort: undefined,
      form: "address",
    },
  ];
}

const option = new RegExp(
  `(?:^|\\s)--?[\\w.-]*(?:host|hostname|addr|address|url|server|servers|endpoint|upstream|backend|broker|brokers)[= ]["']?(${label}(?::\\d{2,5})?)["']?(?=\\s|$)`,
  "gi",
);
/** Programs that are run to look a name up or to reach it. */
const lookup = new RegExp(
  `(?:^|[\\s;&|(])(?:nslookup|dig|getent hosts|ping|wget|curl)(?: +-{1,2}[\\w-]+(?:[= ]\\d+)?)* +["']?(${label}(?:\\.${label})*)(?::(\\d{2,5}))?(?=["'\\s;/)|&]|$)`,
  "g",
);
const connect = new RegExp(
  `(?:^|[\\s;&|(])(?:nc|ncat|telnet)(?: +-[\\w]+(?: \\d+)?)* +["']?(${label}(?:\\.${label})*)["']? +(\\d{2,5})(?=["'\\s;)|&]|$)`,
  "g",
);
const client = new RegExp(
  `(?:^|[\\s;&|(])(?:psql|pg_isready|mysql|mysqladmin|redis-cli|mongosh?|pg_dump)[^;&|\\n]{0,200}? -h +["']?(${label}(?:\\.${label})*)`,
  "g",
);

/** The names in the words of a command and its arguments, scripts among them. */
export function namesInCommand(words: readonly string[]): NameInText[] {
  const text = words.join(" ").slice(0, textLengthMax);
  const found = namesInText(text);
  const add = (host: string, port: string | undefined): void => {
    if (found.length >= namesPerTextMax || !/[a-z]/.test(host) || !isHostName(host)) return;
    if (/\.svc(?:\.|$)/.test(host)) return;
    found.push({
      host,
      port: port === undefined ? undefined : Number(port),
      usualPort: undefined,
      form: "address",
    });
  };
  for (const [, word = ""] of text.matchAll(option)) {
    const [host = "", port] = word.split(":");
    add(host, port);
  }
  for (const pattern of [lookup, connect, client]) {
    for (const [, host = "", port] of text.matchAll(pattern)) add(host, port);
  }
  return found;
}
