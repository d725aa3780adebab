/** Takes secrets and personal data out of a snapshot, so that it can be handed on; its verdicts stay. */

import { parseForeignJson } from "../text/foreign-json.ts";
import { isMask } from "../traces/sql-tokens.ts";
import type { Evidence, EvidenceContent } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot } from "./create-snapshot.ts";
import { Placeholders, type RedactionKind } from "./placeholders.ts";
import { redactSql, redactText } from "./redact-text.ts";

export interface RedactedSnapshot {
  readonly snapshot: Snapshot;
  /** Places at which something was taken out, by kind. */
  readonly counts: Readonly<Record<RedactionKind, number>>;
  readonly redactedCount: number;
}

/** Redacts every piece of evidence. Ids change with the content; a redacted snapshot redacted again stays as it is. */
export function redactSnapshot(snapshot: Snapshot): RedactedSnapshot {
  const redaction = new Redaction(new Placeholders());
  const parts = snapshot.evidence.map((item) => ({
    source: redaction.source(item),
    content: redaction.content(item.content),
  }));
  const counts = redaction.placeholders.counts;
  const redactedCount = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { snapshot: createSnapshot(parts), counts, redactedCount };
}

/** Fields that identify things for contracts and carry no secret: they stay even when they look like one. */
const keptFields = new Set([
  "traceId",
  "spanId",
  "parentSpanId",
  "apiVersion",
  "kind",
  "uid",
  "resourceVersion",
  "callId",
  "pointer",
]);

/** Names of fields, attributes and variables whose text is a secret. */
const secretName =
  /(?:^|[._-])(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|encryption[_-]?key|signing[_-]?key|client[_-]?secret|authorization|proxy-authorization|cookie|set-cookie|credential|credentials|x-api-key|connection[_-]?string|dsn|salt|otp|cvv|cvc|ssn)$/;
const variableName =
  /^env\.(?:\w*_)?(?:\w*PASSWORD|\w*PASSWD|PASS|PASSPHRASE|PWD|\w*SECRET|\w*TOKEN|\w*KEYS?|PAT|AUTH|CREDS?|CREDENTIALS?|COOKIE|DSN|CERT|PEM|JWT|SALT|SEED|SIGNATURE|WEBHOOK(?:_URL)?)$/i;
const identityName =
  /^(?:enduser\.(?:id|role|scope|pseudo\.id)|user\.(?:id|name|full_name|email|hash)|client\.address|user_agent\.original|http\.client_ip|client\.ip)$/;
const statementName = /^(?:db\.statement|db\.query\.text|db\.query\.summary_text)$/;
const parameterName =
  /^db\.(?:query\.parameter|statement\.parameter|sql\.param|operation\.parameter)/;

class Redaction {
  readonly placeholders: Placeholders;

  constructor(placeholders: Placeholders) {
    this.placeholders = placeholders;
  }

  source({ source }: Evidence): Evidence["source"] {
    return {
      // Folders name people and machines; the file's own name says what it is.
      name: source.name
        .split(", ")
        .map((name) => redactText(name.slice(name.lastIndexOf("/") + 1), this.placeholders))
        .join(", "),
      format: source.format,
      notes: source.notes.map((note) => redactText(note, this.placeholders)),
    };
  }

  content(content: EvidenceContent): EvidenceContent {
    if (content.kind === "environment") return { ...content, facts: this.#facts(content.facts) };
    // What is called a token there is one of a vocabulary, and no secret.
    if (content.kind === "model-release") return content;
    // Its ids and amounts are what it is judged by, and whom anything was for is not in it.
    if (content.kind === "ledger") return content;
    // Redaction replaces text by text and keeps every field, so the content keeps its type.
    return this.#value(content, "") as EvidenceContent;
  }

  #value(value: unknown, name: string): unknown {
    if (typeof value === "string") return this.#text(value, name);
    if (Array.isArray(value)) return this.#items(value, name);
    if (typeof value !== "object" || value === null) return this.#scalar(value, name);
    const fields: Record<string, unknown> = { ...value };
    if (fields["kind"] === "Secret") return this.#secret(fields);
    if (isVariable(fields) && isSecretName(fields.name)) {
      return { ...fields, value: this.placeholders.of("secret-field", fields.value) };
    }
    return this.#fields(fields);
  }

  #fields(fields: Record<string, unknown>): Record<string, unknown> {
    const system = fields["db.system.name"] ?? fields["db.system"];
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => {
        if (typeof field === "string" && statementName.test(name)) {
          const dialect = typeof system === "string" ? system : "";
          return [name, redactSql(field, dialect, this.placeholders)];
        }
        return [name, this.#value(field, name)];
      }),
    );
  }

  /** Facts of an environment: a variable's name ends in what it holds, as nowhere else. */
  #facts(facts: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(facts).map(([name, value]) => {
        const isSecret = value !== "" && variableName.test(name);
        return [
          name,
          isSecret ? this.placeholders.of("secret-field", value) : this.#text(value, name),
        ];
      }),
    );
  }

  /** Items of a list; what follows `--password` in a list of arguments is one. */
  #items(items: readonly unknown[], name: string): unknown[] {
    return items.map((item, index) => {
      const flag = items[index - 1];
      return typeof item === "string" && typeof flag === "string" && isSecretFlag(flag)
        ? this.placeholders.of("secret-field", item)
        : this.#value(item, name);
    });
  }

  #text(text: string, name: string): string {
    if (keptFields.has(name)) return text;
    if (parameterName.test(name) && isMask(text)) return text;
    if (parameterName.test(name)) return this.placeholders.of("sql-literal", text).slice(1, -1);
    if (identityName.test(name)) return this.placeholders.of("user-identity", text);
    const document = this.#document(text);
    if (document !== undefined) return document;
    if (isSecretName(name) && text !== "") return this.placeholders.of("secret-field", text);
    return redactText(text, this.placeholders);
  }

  /** JSON within text, as in tool-call arguments and in what `kubectl apply` keeps. */
  #document(text: string): string | undefined {
    if (!/^\s*[{[]/.test(text)) return undefined;
    let parsed: unknown;
    try {
      parsed = parseForeignJson(text);
    } catch {
      // Text that is no whole document is searched as text.
      return undefined;
    }
    const before = JSON.stringify(parsed);
    const after = JSON.stringify(this.#value(parsed, ""));
    return before === after ? text : after;
  }

  /** Numbers are secret only where a statement's parameters stand; elsewhere a number is a measure. */
  #scalar(value: unknown, name: string): unknown {
    if (typeof value !== "number" || !parameterName.test(name)) return value;
    return this.placeholders.of("sql-literal", String(value)).slice(1, -1);
  }

  /** A Secret keeps its keys, because contracts ask whether a key exists, and loses every value. */
  #secret(fields: Record<string, unknown>): Record<string, unknown> {
    const { data, stringData, ...rest } = fields;
    return {
      ...this.#fields(rest),
      ...(data === undefined ? {} : { data: this.#hidden(data) }),
      ...(stringData === undefined ? {} : { stringData: this.#hidden(stringData) }),
    };
  }

  #hidden(values: unknown): unknown {
    if (typeof values !== "object" || values === null) return values;
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        this.placeholders.of(
          "kubernetes-secret",
          typeof value === "string" ? value : JSON.stringify(value),
        ),
      ]),
    );
  }
}

/** An environment variable or a header: a name and a text beside it. */
function isVariable(
  fields: Record<string, unknown>,
): fields is Record<string, unknown> & { name: string; value: string } {
  return (
    typeof fields["name"] === "string" &&
    typeof fields["value"] === "string" &&
    fields["value"] !== ""
  );
}

function isSecretFlag(text: string): boolean {
  const flag = /^--?([A-Za-z][\w.-]*)$/.exec(text)?.[1];
  return flag !== undefined && isSecretName(flag);
}

function isSecretName(name: string): boolean {
  const separated = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
  return secretName.test(separated);
}
