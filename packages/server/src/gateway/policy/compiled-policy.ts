/** A safety policy, compiled: its rules as programs that can be walked over text. */

import { compilePattern } from "@faultline/contracts/expressions";
import type { PersonalKind, SafetyPolicy, SafetyRule, SecretKind } from "@faultline/protocol";

import { assert } from "#kernel/index.ts";

import {
  hostOfLink,
  type KnownPattern,
  linkPattern,
  personalPatterns,
  secretPatterns,
} from "./known-patterns.ts";
import { asciiCount, PatternProgram, precedentOf, precedents } from "./pattern-program.ts";

export interface CompiledPattern {
  readonly program: PatternProgram;
  /** Whether a match counts: what else must hold of it does, and it is not allowed. */
  counts(text: string): boolean;
  /** Every match counts, so that a refusal need not wait for the end of one. */
  readonly countsAlways: boolean;
}

export interface CompiledRule {
  readonly id: string;
  readonly action: SafetyRule["action"];
  readonly replacement: string;
  readonly patterns: readonly CompiledPattern[];
}

/** Rules that are held against the same texts. */
export class RuleSet {
  readonly rules: readonly CompiledRule[];
  readonly #begins: readonly Uint8Array[];

  constructor(rules: readonly CompiledRule[]) {
    const programs = rules.flatMap(({ patterns }) => patterns.map(({ program }) => program));
    this.rules = rules;
    this.#begins = precedents.map((before) =>
      Uint8Array.from({ length: asciiCount }, (_, rune) =>
        programs.some((program) => program.mayBegin(before, rune)) ? 1 : 0,
      ),
    );
  }

  /** Whether a match of any of them can begin with this character after that one. */
  mayBegin(previous: number, rune: number): boolean {
    return rune >= asciiCount || this.#begins[precedentOf(previous)]?.[rune] === 1;
  }
}

export interface CompiledPolicy {
  readonly input: RuleSet;
  readonly output: RuleSet;
  /** Those of the output that refuse: what must stay as it is, such as the arguments of a call, is held against these. */
  readonly refusing: RuleSet;
  readonly allowedTools: ReadonlySet<string> | undefined;
  readonly toolCallCountMax: number | undefined;
  /** Whether replies must be looked at. */
  readonly watchesOutput: boolean;
}

/** Compiles a policy whose patterns were checked when its bundle was put. */
export function compilePolicy({ input = [], output = [], tools }: SafetyPolicy): CompiledPolicy {
  const compiled = output.map((rule) => compileRule(rule));
  return {
    input: new RuleSet(input.map((rule) => compileRule(rule))),
    output: new RuleSet(compiled),
    refusing: new RuleSet(compiled.filter(({ action }) => action === "refuse")),
    allowedTools: tools?.allowed === undefined ? undefined : new Set(tools.allowed),
    toolCallCountMax: tools?.callCountMax,
    watchesOutput:
      output.length > 0 || tools?.allowed !== undefined || tools?.callCountMax !== undefined,
  };
}

const replacementDefault = "[redacted]";

function compileRule(rule: SafetyRule): CompiledRule {
  const allowed = new Set((rule.allow ?? []).map((text) => text.toLowerCase()));
  return {
    id: rule.id,
    action: rule.action,
    replacement: rule.replacement ?? replacementDefault,
    patterns: patternsOf(rule).map(({ pattern, confirm }) => ({
      program: programOf(pattern),
      countsAlways: confirm === undefined && allowed.size === 0,
      counts: (text) =>
        (confirm === undefined || confirm(text)) && !allowed.has(text.toLowerCase()),
    })),
  };
}

function patternsOf({ match }: SafetyRule): readonly KnownPattern[] {
  switch (match.kind) {
    case "pattern":
      return [{ pattern: match.pattern }];
    case "secrets": {
      // The keys of the table are the kinds.
      const kinds = match.kinds ?? (Object.keys(secretPatterns) as SecretKind[]);
      return kinds.flatMap((kind) => secretPatterns[kind]);
    }
    case "personal-data": {
      // The keys of the table are the kinds.
      const kinds = match.kinds ?? (Object.keys(personalPatterns) as PersonalKind[]);
      return kinds.flatMap((kind) => personalPatterns[kind]);
    }
    case "links": {
      const { allowedHosts } = match;
      return [{ pattern: linkPattern, confirm: (link) => !isAllowed(link, allowedHosts) }];
    }
  }
}

function isAllowed(link: string, allowedHosts: readonly string[]): boolean {
  const host = hostOfLink(link);
  if (host === undefined) return false;
  return allowedHosts.some((allowed) =>
    allowed.startsWith("*.") ? host.endsWith(allowed.slice(1)) : host === allowed,
  );
}

function programOf(pattern: string): PatternProgram {
  const compiled = compilePattern(pattern);
  assert(typeof compiled !== "string", "a pattern of a stored bundle compiles");
  return new PatternProgram(compiled);
}
