/** Finds secrets and personal data in free text. */

import { doubleQuotesOf, isMask, sqlTokens } from "../traces/sql-tokens.ts";
import type { Placeholders, RedactionKind } from "./placeholders.ts";

interface TextRule {
  readonly kind: RedactionKind;
  readonly pattern: RegExp;
  /** Which part of a match is secret: the group of this number, else all of it. */
  readonly group?: number;
  /** Whether a match is what it looks like. */
  readonly confirm?: (secret: string) => boolean;
}

/** In the order in which they are applied. Every pattern takes linear time: no nested repetition. */
const textRules: readonly TextRule[] = [
  {
    kind: "private-key",
    pattern:
      /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
  },
  {
    kind: "url-credential",
    pattern: /\b[a-z][a-z0-9+.-]{0,30}:\/\/([^\s/?#@"'<>]{1,512})@/gi,
    group: 1,
  },
  {
    kind: "bearer-token",
    pattern: /\b(?:Bearer|Basic|Token)[ :]+([A-Za-z0-9._~+/=-]{8,})/g,
    group: 1,
  },
  { kind: "bearer-token", pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*/g },
  {
    kind: "api-key",
    pattern:
      /\b(?:sk-[A-Za-z0-9_-]{16,}|(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}|fl_[a-z][a-z0-9-]{0,39}_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[a-z]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{20,}|gsk_[A-Za-z0-9]{20,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{40,})/g,
  },
  {
    kind: "secret-field",
    // `password=…`, `"api_key": "…"`, `--token …`, `?signature=…`: a name that says what follows.
    pattern:
      /(?:password|passwd|passphrase|pwd|secret|api[-_]?key|access[-_]?key|auth[-_]?token|access[-_]?token|refresh[-_]?token|session[-_]?token|client[-_]?secret|private[-_]?key|signature|[?&]sig|[?&]token|--token)(?:\\?["'])?(?:\s?[:=]\s?|(?<=--[a-z-]{1,40})\s)(?:\\?["'])?([^\s"'\\,;&{}()[\]<>]{3,512})/gi,
    group: 1,
    confirm: (secret) => !/^(?:true|false|null|undefined|none|\$\w*|\?|\d{1,3})$/i.test(secret),
  },
  {
    kind: "secret-field",
    // `token=…` in a line of a log. Counts of tokens are numbers, so what is secret has letters and digits.
    pattern: /\b(?:[a-z]{1,16}[-_])?token\\?["']?\s?[:=]\s?\\?["']?([A-Za-z0-9._~+/=-]{8,512})/gi,
    group: 1,
    confirm: (secret) => /\d/.test(secret) && /[A-Za-z]/.test(secret),
  },
  {
    kind: "secret-field",
    pattern: /\b(?:set-)?cookie["']?: ?["']?([^\r\n"']{3,4096})/gi,
    group: 1,
  },
  {
    kind: "email",
    pattern:
      /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}\b/g,
    confirm: (email) => !email.endsWith("@example.invalid"),
  },
  {
    kind: "card-number",
    pattern: /(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w.-]*\d)/g,
    confirm: isCardNumber,
  },
];

/** A text without its secrets. */
export function redactText(text: string, placeholders: Placeholders): string {
  let redacted = text;
  for (const { kind, pattern, group, confirm } of textRules) {
    redacted = redacted.replace(pattern, (match: string, ...rest: unknown[]) => {
      const captured = group === undefined ? match : rest[group - 1];
      if (typeof captured !== "string" || confirm?.(captured) === false) return match;
      // A placeholder that an earlier rule left is found again by its neighbour's rule.
      if (captured.includes("[redacted-") || captured.startsWith("redacted-")) return match;
      const at = match.lastIndexOf(captured);
      const placeholder = placeholders.of(kind, captured);
      return `${match.slice(0, at)}${placeholder}${match.slice(at + captured.length)}`;
    });
  }
  return redacted;
}

/**
 * A statement whose literals are placeholders; its shape is the same, and so are the lengths of its lists.
 * `system` is the database's, which decides what double quotes mean.
 */
export function redactSql(statement: string, system: string, placeholders: Placeholders): string {
  const cut = /\s*(?:\.\.\.|…)\s*$/.exec(statement)?.[0] ?? "";
  const text = statement.slice(0, statement.length - cut.length);
  const tokens = sqlTokens(text, doubleQuotesOf(system, text));
  const isDocument = /^\s*[{[]/.test(text);
  let redacted = "";
  let from = 0;
  for (const [index, token] of tokens.entries()) {
    // What a sanitiser wrote gives nothing away, and a contract may ask whether values were hidden.
    if (token.kind !== "value" || isMask(token.text)) continue;
    // In a document store's query the names of fields stay.
    if (isDocument && tokens[index + 1]?.text === ":") continue;
    redacted += `${text.slice(from, token.start)}${placeholders.of("sql-literal", token.text)}`;
    from = token.end;
  }
  return `${redacted}${text.slice(from)}${cut}`;
}

/** Known issuers' first digits, 13 to 19 digits, and a check digit that is right. */
function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  if (!/^(?:4|5[1-5]|2[2-7]|3[47]|6011|65|35|30|36|38)/.test(digits)) return false;
  if (/^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits.charAt(digits.length - 1 - index));
    const doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += index % 2 === 1 ? doubled : digit;
  }
  return sum % 10 === 0;
}
