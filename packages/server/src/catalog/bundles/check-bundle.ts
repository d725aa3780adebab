/** What a schema cannot say of a bundle: patterns and conditions that compile, variables that fit, names that stand once. */

import { canonicalJson } from "@faultline/contracts/model";
import { compilePattern, ExpressionError } from "@faultline/contracts/expressions";
import { type BundleDocument, bundleLimits, type SafetyRule } from "@faultline/protocol";

import { compileCondition } from "./condition.ts";
import { bundleStoreLimits } from "./limits.ts";

/** Something that is wrong with a document. */
export interface BundleFault {
  /** A JSON pointer into the document. */
  readonly where: string;
  /** For a text: how far into it, in UTF-16 units. */
  readonly offset?: number;
  readonly message: string;
}

/** Everything that is wrong with a document that fits its schema; empty when it can be used. */
export function checkBundle(document: BundleDocument): BundleFault[] {
  const faults = [
    ...checkSize(document),
    ...checkTargets(document),
    ...checkPrompt(document),
    ...checkTools(document),
    ...checkParameters(document),
    ...checkRules(document.safety?.input ?? [], "/safety/input"),
    ...checkRules(document.safety?.output ?? [], "/safety/output"),
  ];
  return faults.slice(0, bundleStoreLimits.faultCountMax);
}

/**
 * `{{ name }}` in a prompt; the name comes with the spaces around it. To leave them out here would try every way to share a
 * long run of spaces between them and the name.
 */
export const variablePattern = /\{\{([^{}]*)\}\}/g;

function checkSize(document: BundleDocument): BundleFault[] {
  const sizeBytes = Buffer.byteLength(canonicalJson(document));
  if (sizeBytes <= bundleLimits.documentBytesMax) return [];
  return [
    {
      where: "",
      message: `The bundle has ${sizeBytes} bytes as canonical JSON; at most ${bundleLimits.documentBytesMax} are allowed.`,
    },
  ];
}

function checkTargets({ targets }: BundleDocument): BundleFault[] {
  const faults = targets.flatMap(({ when }, index): BundleFault[] => {
    if (when === undefined) return [];
    try {
      compileCondition(when);
      return [];
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const where = `/targets/${index}/when`;
      return [
        { where, offset: error.start, message: `The condition cannot be used: ${error.message}` },
      ];
    }
  });
  if (targets.some(({ weight }) => weight !== 0)) return faults;
  return [
    ...faults,
    { where: "/targets", message: "Every target has the weight 0; one must be first." },
  ];
}

function checkPrompt({ systemPrompt }: BundleDocument): BundleFault[] {
  if (systemPrompt === undefined) return [];
  const { text, variables = [] } = systemPrompt;
  const faults = repeated(
    variables.map(({ name }) => name),
    (index) => `/systemPrompt/variables/${index}/name`,
  );
  const used = new Set<string>();
  for (const match of text.matchAll(variablePattern)) {
    const name = match[1]?.trim() ?? "";
    used.add(name);
    if (variables.some((variable) => variable.name === name)) continue;
    faults.push({
      where: "/systemPrompt/text",
      offset: match.index,
      message: `The variable {{ ${name} }} is not declared in systemPrompt.variables.`,
    });
  }
  const rest = text.replaceAll(variablePattern, (whole) => " ".repeat(whole.length));
  const stray = /\{\{|\}\}/.exec(rest);
  if (stray !== null) {
    const message = `Braces stand alone here; a variable is written {{ name }}.`;
    faults.push({ where: "/systemPrompt/text", offset: stray.index, message });
  }
  variables.forEach(({ name, default: standIn, lengthMax = defaultVariableLength }, index) => {
    const where = `/systemPrompt/variables/${index}`;
    if (!used.has(name)) {
      faults.push({ where: `${where}/name`, message: `The prompt does not use {{ ${name} }}.` });
    }
    if ((standIn?.length ?? 0) > lengthMax) {
      faults.push({
        where: `${where}/default`,
        message: `The default is longer than lengthMax, ${lengthMax}.`,
      });
    }
  });
  return faults;
}

/** Length of a variable's value where the bundle does not say. */
export const defaultVariableLength = 256;

function checkTools({ tools = [] }: BundleDocument): BundleFault[] {
  const faults = repeated(
    tools.map(({ name }) => name),
    (index) => `/tools/${index}/name`,
  );
  tools.forEach(({ parameters }, index) => {
    const sizeBytes = Buffer.byteLength(canonicalJson(parameters));
    if (sizeBytes <= bundleLimits.toolParametersBytesMax) return;
    const message = `The parameters have ${sizeBytes} bytes; at most ${bundleLimits.toolParametersBytesMax} are allowed.`;
    faults.push({ where: `/tools/${index}/parameters`, message });
  });
  return faults;
}

function checkParameters({ parameters }: BundleDocument): BundleFault[] {
  const forced = Object.keys(parameters?.forced ?? {});
  return Object.keys(parameters?.defaults ?? {})
    .filter((name) => forced.includes(name))
    .map((name) => ({
      where: `/parameters/defaults/${name}`,
      message: `${name} is forced too; a default of it would never count.`,
    }));
}

function checkRules(rules: readonly SafetyRule[], place: string): BundleFault[] {
  const faults = repeated(
    rules.map(({ id }) => id),
    (index) => `${place}/${index}/id`,
  );
  rules.forEach(({ match }, index) => {
    if (match.kind !== "pattern") return;
    const where = `${place}/${index}/match/pattern`;
    const compiled = compilePattern(match.pattern);
    if (typeof compiled === "string") {
      faults.push({
        where,
        message: `The pattern cannot be used: ${compiled} (patterns have the syntax of RE2).`,
      });
    } else if (compiled.matcher("").find()) {
      faults.push({ where, message: "The pattern matches the empty text, which is everywhere." });
    }
  });
  return faults;
}

function repeated(names: readonly string[], placeOf: (index: number) => string): BundleFault[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ where: placeOf(index), message: `${name} stands here twice.` }],
  );
}
