/** What the name of a fact says about it. */

/** Kinds of facts whose names go on behind a point. */
const lists =
  /^(env|locale|python\.package|go\.module|go\.build|npm\.package|runtime|feature_flag)\./;

/** `web/app env.LANG` in parts: the owner `web/app`, the list `env`, and the key `LANG`. */
export interface FactName {
  readonly owner: string;
  readonly list: string;
  readonly key: string;
}

/** The parts of a fact's name. */
export function factNameOf(name: string): FactName {
  const space = name.indexOf(" ");
  const owner = space < 0 ? "" : name.slice(0, space);
  const rest = name.slice(space + 1);
  const list = lists.exec(rest)?.[1] ?? "";
  return { owner, list, key: list === "" ? rest : rest.slice(list.length + 1) };
}

/** Facts that are told together: where one of a scope is known, the absence of another says something. */
export function scopeOf(name: string): string {
  const { owner, list, key } = factNameOf(name);
  const first =
    list === "" && owner === "" && key.includes(".") ? key.slice(0, key.indexOf(".")) : "";
  return `${owner}\n${list}\n${first}`;
}

const secret =
  /(?:password|passwd|passphrase|pwd|secret|token|api_?key|access_?key|private_?key|credential|authorization|cookie|cert|signature|salt|dsn|connection_?string|encryption_?key|signing_?key|(?:^|_)(?:pass|keys?|pat|auth|creds?|jwt|salt|seed|pem|webhook(?:_url)?)$)/i;

/** Whether a name says that its value is not to be shown. */
export function isSecretName(key: string): boolean {
  return secret.test(key.replaceAll("-", "_"));
}

/** A fact as it may be quoted: without its value where its name says that it is secret. */
export function quoteOf(name: string, value: string): string {
  return isSecretName(factNameOf(name).key) ? name : `${name}=${value}`;
}

/** Facts that name an environment which this one is meant to be like. */
export const alikeFacts = ["sameAs", "same_as"] as const;

const outcome = /^(?:outcome|result|test_?result|tests?)(?:\..+)?$/i;

/** Whether a fact tells how something went in the environment. */
export function isOutcome(name: string): boolean {
  return outcome.test(factNameOf(name).key);
}

/** Whether a fact is no setting but a statement about the environment. */
export function isStatement(name: string): boolean {
  return isOutcome(name) || alikeFacts.some((fact) => fact === name);
}

const ownPlace =
  /^(?:HOST|HOSTNAME|COMPUTERNAME|PWD|OLDPWD|HOME|USER|USERNAME|LOGNAME|SHLVL|_|TERM|TERM_PROGRAM|COLORTERM|SHELL|MAIL|DISPLAY|LS_COLORS|PS1|PPID|PID|TMPDIR|TMP|TEMP|INIT_CWD|NODE_NAME|CLUSTER|CLUSTER_NAME|REGION|ZONE|INSTANCE_ID|host\.(?:name|id|ip)|os\.kernel|process\.pid|k8s\..+)$|^(?:SSH_|XDG_|KUBERNETES_|POD_|DBUS_|GITHUB_|GITLAB_|CI_|BUILD_|RUNNER_|JENKINS_|npm_)|(?:_|\.|^)(?:HOST|HOSTS|PORT|URL|URLS|URI|ENDPOINT|ENDPOINTS|ADDR|ADDRESS|IP|DOMAIN|ORIGIN|ORIGINS|REGION|ZONE|BUCKET|TIMESTAMP|SHA|COMMIT|BROKERS?|SERVERS?|DATABASE|DB_NAME|ACCOUNT|PROJECT|PROJECT_ID|REPLICAS)$|_PORT_|_SERVICE_(?:HOST|PORT)/i;

/** Whether a fact names the place itself, so that it must differ from place to place. */
export function namesThePlace(key: string): boolean {
  return ownPlace.test(key);
}

const environmentKey =
  /^(?:(?:[A-Z]+_)?(?:ENV|ENVIRONMENT|STAGE|TIER|PROFILE|PROFILES?_ACTIVE)|deployment\.environment(?:\.name)?)$/i;

/** Whether a fact tells which environment this is. */
export function namesTheEnvironment(key: string): boolean {
  return environmentKey.test(key);
}
