/** Effects that a message names: a library whose interface is another now, a flag whose path fails. */

import type { Effect, NamedThing } from "./effect.ts";
import { type Explains, type Mechanism, mechanisms, outerMechanisms } from "./mechanism.ts";
import type { Symptoms } from "./symptoms.ts";

/** Complaints of who calls an interface that has changed. */
const interfaceComplaint =
  /AttributeError|TypeError|ImportError|ModuleNotFoundError|NoSuchMethodError|NoSuchFieldError|NoClassDefFoundError|ClassNotFoundException|AbstractMethodError|IncompatibleClassChange|is not a function|is not a constructor|unexpected keyword argument|has no attribute|cannot import name|Cannot find module|undefined method|unknown field|was removed|is removed|has been removed|no longer supported|deprecated/;
const nameLengthMin = 4;
const flagLengthMin = 8;

/** The effects, those that a message names with how far they explain it then. */
export function withNamed(effects: readonly Effect[], symptoms: Symptoms): readonly Effect[] {
  // What fails outside fails in whatever library asks for it.
  const isOuter = outerMechanisms.has(symptoms.mechanisms[0]?.mechanism ?? "errors");
  if (isOuter) return effects;
  return effects.map((effect) => {
    const { named } = effect;
    const isNamed =
      named !== undefined && symptoms.texts.some(({ text }) => isComplaintOf(text, named));
    return named === undefined || !isNamed
      ? effect
      : { ...effect, explains: raised(effect.explains, named.strength) };
  });
}

function raised(explains: Explains, strength: number): Explains {
  const inner = mechanisms.filter((mechanism) => !outerMechanisms.has(mechanism));
  return Object.fromEntries(
    inner.map((mechanism: Mechanism) => [mechanism, Math.max(strength, explains[mechanism] ?? 0)]),
  );
}

function isComplaintOf(text: string, { of, name }: NamedThing): boolean {
  if (of === "flag") {
    const at = text.indexOf(name);
    // A message that only lists the flags that were set complains of none.
    const rest = text.slice(at + name.length);
    const isListed = /^["']?\s?[=:]\s?["']?(?:on|off|true|false|enabled|disabled|\d)/i.test(rest);
    return name.length >= flagLengthMin && at >= 0 && !isListed && /[_.-]/.test(name);
  }
  const short = name.split(/[/:]/).at(-1) ?? name;
  if (short.length < nameLengthMin || !interfaceComplaint.test(text)) return false;
  const module = short.toLowerCase().replaceAll("-", "_");
  return text
    .toLowerCase()
    .replaceAll("-", "_")
    .split(/[^a-z0-9_]+/)
    .includes(module);
}
