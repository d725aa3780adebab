/** Checks a value against the subset of JSON Schema that the configuration is written in, one problem per fault. */

import { nearestName } from "@faultline/contracts/model";

/** The parts of a schema that the check reads; TypeBox schemas of `file-schema.ts` have no others. */
export interface ConfigSchema {
  readonly type?: string | undefined;
  readonly properties?: Readonly<Record<string, ConfigSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: ConfigSchema | undefined;
  readonly anyOf?: readonly { readonly const: string }[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly pattern?: string | undefined;
  readonly default?: unknown | undefined;
  readonly description?: string | undefined;
}

export type ConfigPath = readonly (string | number)[];

export interface ConfigProblem {
  readonly path: ConfigPath;
  /** Whether the fault lies in the name of the last path element rather than in its value. */
  readonly inName: boolean;
  readonly message: string;
  readonly hint?: string;
}

/** Every fault of `value` in reading order; none means that the value fits. */
export function checkValue(
  schema: ConfigSchema,
  value: unknown,
  path: ConfigPath = [],
): ConfigProblem[] {
  if (schema.type === "object") return checkObject(schema, value, path);
  if (schema.type === "array") return checkArray(schema, value, path);
  const expected =
    schema.anyOf === undefined ? scalarFault(schema, value) : choiceFault(schema.anyOf, value);
  if (expected === undefined) return [];
  const hint = schema.anyOf === undefined ? undefined : choiceHint(schema.anyOf, value);
  return [
    problem(path, `${formatPath(path)} must be ${expected}, but is ${describe(value)}.`, hint),
  ];
}

/** A path as people write it: `providers[0].baseUrl`. */
export function formatPath(path: ConfigPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

function checkObject(schema: ConfigSchema, value: unknown, path: ConfigPath): ConfigProblem[] {
  const where = path.length === 0 ? "The file" : formatPath(path);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [
      problem(path, `${where} must be a mapping of names to values, but is ${describe(value)}.`),
    ];
  }
  const properties = schema.properties ?? {};
  const names = Object.keys(properties);
  const problems: ConfigProblem[] = [];
  for (const [name, part] of Object.entries(value)) {
    const partSchema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (partSchema === undefined) {
      problems.push({ ...unknownName(name, names, path), inName: true });
    } else {
      problems.push(...checkValue(partSchema, part, [...path, name]));
    }
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name))
      problems.push(problem(path, `${where} needs \`${name}\`.`, properties[name]?.description));
  }
  return problems;
}

function unknownName(name: string, names: readonly string[], path: ConfigPath): ConfigProblem {
  const nearest = nearestName(name, names);
  const inside = path.length === 0 ? "" : ` in ${formatPath(path)}`;
  const hint =
    nearest === undefined ? `Known${inside}: ${names.join(", ")}.` : `Did you mean \`${nearest}\`?`;
  return problem([...path, name], `\`${name}\` is not a setting${inside}.`, hint);
}

function checkArray(schema: ConfigSchema, value: unknown, path: ConfigPath): ConfigProblem[] {
  if (!Array.isArray(value)) {
    return [problem(path, `${formatPath(path)} must be a list, but is ${describe(value)}.`)];
  }
  const max = schema.maxItems ?? Number.POSITIVE_INFINITY;
  if (value.length > max) {
    return [problem(path, `${formatPath(path)} has ${value.length} entries; the limit is ${max}.`)];
  }
  const { items } = schema;
  if (items === undefined) return [];
  return value.flatMap((item: unknown, index) => checkValue(items, item, [...path, index]));
}

/** What a scalar should have been, or `undefined` when it fits. */
function scalarFault(schema: ConfigSchema, value: unknown): string | undefined {
  switch (schema.type) {
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "integer":
    case "number": {
      const expected = `${schema.type === "integer" ? "a whole number" : "a number"} from ${schema.minimum} to ${schema.maximum}`;
      const fits =
        typeof value === "number" &&
        (schema.type === "number" ? Number.isFinite(value) : Number.isSafeInteger(value)) &&
        value >= (schema.minimum ?? value) &&
        value <= (schema.maximum ?? value);
      return fits ? undefined : expected;
    }
    case "string":
      return textFault(schema, value);
    default:
      return `of type ${schema.type}`;
  }
}

function textFault(schema: ConfigSchema, value: unknown): string | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema;
  if (typeof value !== "string") return "text";
  if (value.length < minLength) return "text that is not empty";
  if (value.length > maxLength) return `text of at most ${maxLength} characters`;
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value))
    return `text that matches ${pattern}`;
  return undefined;
}

function choiceFault(choices: readonly { const: string }[], value: unknown): string | undefined {
  if (choices.some((choice) => choice.const === value)) return undefined;
  return `one of ${choices.map((choice) => choice.const).join(", ")}`;
}

function choiceHint(choices: readonly { const: string }[], value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const nearest = nearestName(
    value,
    choices.map((choice) => choice.const),
  );
  return nearest === undefined ? undefined : `Did you mean \`${nearest}\`?`;
}

function problem(path: ConfigPath, message: string, hint?: string): ConfigProblem {
  return { path, inName: false, message, ...(hint === undefined ? {} : { hint }) };
}

const shownLengthMax = 60;

function describe(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  const shown = JSON.stringify(value);
  return shown.length > shownLengthMax ? `${shown.slice(0, shownLengthMax)}…` : shown;
}
