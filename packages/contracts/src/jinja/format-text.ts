/** Puts values into a text as Python's `%` and `format` do, as far as chat templates use them. */

import { TemplateError } from "./template-error.ts";
import { printed, quoted, type Value } from "./value.ts";

const widthMax = 1_000;

const place = /%(?:%|([-0]?)(\d{0,4})(?:\.(\d{1,2}))?([sdifrgx]))/g;

/** `'%s: %d' % values`. */
export function formatted(form: string, values: readonly Value[]): string {
  let text = "";
  let at = 0;
  let index = 0;
  for (const match of form.matchAll(place)) {
    const [all, flag = "", width = "", digits, kind = ""] = match;
    text += form.slice(at, match.index);
    at = match.index + all.length;
    if (all === "%%") {
      text += "%";
      continue;
    }
    if (index >= values.length) throw new TemplateError("failed", `A value for ${all} is missing.`);
    text += padded(converted(values[index], kind, digits), flag, Math.min(Number(width), widthMax));
    index += 1;
  }
  return text + form.slice(at);
}

function padded(text: string, flag: string, width: number): string {
  return flag === "-" ? text.padEnd(width) : text.padStart(width, flag === "0" ? "0" : " ");
}

function converted(value: Value, kind: string, digits: string | undefined): string {
  switch (kind) {
    case "s":
      return printed(value);
    case "r":
      return typeof value === "string" ? quoted(value) : printed(value);
    case "d":
    case "i":
      return String(Math.trunc(numberFor(value, kind)));
    case "f":
      return numberFor(value, kind).toFixed(digits === undefined ? 6 : Number(digits));
    case "x":
      return Math.trunc(numberFor(value, kind)).toString(16);
    default:
      return printed(numberFor(value, kind));
  }
}

function numberFor(value: Value, kind: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  throw new TemplateError("failed", `%${kind} asks for a number.`);
}

/** `'{} {name}'.format(…)`, without forms behind a colon. */
export function filledIn(
  form: string,
  { positional, named }: { positional: readonly Value[]; named: ReadonlyMap<string, Value> },
): string {
  let index = 0;
  return form.replaceAll(/\{\{|\}\}|\{([^{}]*)\}/g, (all, name: string | undefined) => {
    if (name === undefined) return all.slice(0, 1);
    if (!/^\w*$/.test(name))
      throw new TemplateError("unsupported", `The form {${name.slice(0, 40)}} is not known here.`);
    if (name === "") {
      index += 1;
      return printed(positional[index - 1]);
    }
    return printed(/^\d+$/.test(name) ? positional[Number(name)] : named.get(name));
  });
}
