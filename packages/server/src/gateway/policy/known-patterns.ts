/** Patterns of secrets and personal data, with what else must hold of a match. */

import type { PersonalKind, SecretKind } from "@faultline/protocol";

export interface KnownPattern {
  /** In the syntax of RE2. */
  readonly pattern: string;
  /** Whether what matches is one; without it every match is. */
  readonly confirm?: (text: string) => boolean;
}

export const secretPatterns: Readonly<Record<SecretKind, readonly KnownPattern[]>> = {
  "api-key": [
    // Of OpenAI and Anthropic; AWS; GitHub; Slack; Google; GitLab; Faultline itself.
    { pattern: "\\bsk-[A-Za-z0-9_-]{20,}" },
    { pattern: "\\bAKIA[0-9A-Z]{16}\\b" },
    { pattern: "\\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{36,}" },
    { pattern: "\\bxox[abeprs]-[A-Za-z0-9-]{10,}" },
    { pattern: "\\bAIza[0-9A-Za-z_-]{35}" },
    { pattern: "\\bglpat-[A-Za-z0-9_-]{20,}" },
    { pattern: "\\bfl_[a-z][a-z0-9-]*_[0-9A-Za-z]{49}" },
  ],
  "bearer-token": [
    { pattern: "(?i)\\bbearer +[a-z0-9._~+/=-]{16,}" },
    { pattern: "\\beyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]+" },
  ],
  "private-key": [
    {
      pattern:
        "-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\\s:,]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    },
  ],
  "password-field": [
    {
      pattern:
        "(?i)\\b(?:password|passwd|pwd|passphrase|client[_-]?secret|api[_-]?key|access[_-]?token)[\"']?[ \\t]*[:=][ \\t]*[\"']?[^\\s\"',;]{6,}",
    },
  ],
  "url-password": [{ pattern: "(?i)\\b[a-z][a-z0-9+.-]*://[^\\s/:@]+:[^\\s/@]+@" }],
};

export const personalPatterns: Readonly<Record<PersonalKind, readonly KnownPattern[]>> = {
  email: [
    {
      pattern:
        "\\b[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{2,24}\\b",
    },
  ],
  phone: [
    { pattern: "\\+[1-9][0-9]{0,2}(?:[ ().-]{0,2}[0-9]){7,12}\\b" },
    { pattern: "(?:\\([2-9][0-9]{2}\\) ?|\\b[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}\\b" },
  ],
  "payment-card": [{ pattern: "\\b[0-9](?:[ -]?[0-9]){12,18}\\b", confirm: isPaymentCard }],
  iban: [
    {
      pattern: "\\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\\b",
      confirm: isIban,
    },
  ],
  "us-ssn": [{ pattern: "\\b[0-9]{3}-[0-9]{2}-[0-9]{4}\\b", confirm: isSocialSecurityNumber }],
};

/** A link, whose host is looked at afterwards. */
export const linkPattern = "(?i)\\b(?:https?|wss?|ftp)://[^\\s<>\"'`)\\]}]+";

/** The host of a link in lower case; `undefined` when it has none that can be read. */
export function hostOfLink(text: string): string | undefined {
  return URL.parse(text)?.hostname.toLowerCase();
}

/** Luhn's checksum (ISO/IEC 7812-1, annex B). */
function isPaymentCard(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]/g, "");
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 && /[1-9]/.test(digits);
}

/** The remainder of ISO 13616: letters count from 10, and the whole is 1 modulo 97. */
function isIban(text: string): boolean {
  const compact = text.replaceAll(" ", "");
  let remainder = 0;
  for (const letter of `${compact.slice(4)}${compact.slice(0, 4)}`) {
    const value = Number.parseInt(letter, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

function isSocialSecurityNumber(text: string): boolean {
  return !/^(?:000|666|9)|-00-|-0000$/.test(text);
}
