/** Makes contracts: settles their options and gives them a maker of findings that bears their name. */

import { nearestName } from "../text/nearest-name.ts";
import type { Contract, OptionValue } from "./contract.ts";
import type { Finding } from "./finding.ts";
import { type FindingParts, makeFinding } from "./make-finding.ts";
import type { Snapshot } from "./snapshot.ts";

/** A value of an option that cannot be: which, what was expected, and what it was. */
export class ContractOptionError extends Error {
  override readonly name = "ContractOptionError";
}

/** What a contract is made of. `Options` names every option with the type of its value. */
export interface ContractDefinition<Options> extends Omit<Contract, "options" | "with" | "check"> {
  readonly options: {
    readonly [Name in keyof Options]: {
      readonly default: Options[Name];
      readonly description: string;
    };
  };
  /** `found` makes a finding of this contract; what is left out takes its usual value. */
  check(snapshot: Snapshot, options: Options, found: (parts: FindingParts) => Finding): Finding[];
}

/** The contract of a definition, with its documented defaults. */
export function defineContract<Options extends { readonly [Name in keyof Options]: OptionValue }>(
  definition: ContractDefinition<Options>,
): Contract {
  const described: [string, { default: OptionValue; description: string }][] = Object.entries(
    definition.options,
  );
  const options = described.map(([name, option]) => ({ name, ...option }));
  const defaults = Object.fromEntries(options.map((option) => [option.name, option.default]));
  const make = (values: Readonly<Record<string, OptionValue>>): Contract => {
    const { id, version, boundary, promise, reads } = definition;
    const identity = { id, version, boundary, promise };
    return {
      ...identity,
      reads,
      options,
      with: (changes) => make({ ...values, ...settled(id, changes, defaults) }),
      check: (snapshot) =>
        // `settled` holds every value to the type of its default, so they have the shape of the options.
        definition.check(snapshot, values as unknown as Options, (parts) =>
          makeFinding(identity, parts),
        ),
    };
  };
  return make(defaults);
}

function settled(
  id: string,
  changes: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, OptionValue>>,
): Record<string, OptionValue> {
  return Object.fromEntries(
    Object.entries(changes).map(([name, value]) => {
      const standard = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
      if (standard === undefined) throw unknownOption(id, name, Object.keys(defaults));
      if (!isOfSameType(value, standard)) {
        throw new ContractOptionError(
          `The option ${name} of ${id} takes ${typeWords(standard)}; ${JSON.stringify(value)} is none.`,
        );
      }
      return [name, value];
    }),
  );
}

function unknownOption(id: string, name: string, known: readonly string[]): ContractOptionError {
  const near = nearestName(name, known);
  const list = known.length === 0 ? "It has none." : `It has ${known.join(", ")}.`;
  return new ContractOptionError(
    `${id} has no option '${name}'. ${near === undefined ? list : `Did you mean ${near}?`}`,
  );
}

function isOfSameType(value: unknown, standard: OptionValue): value is OptionValue {
  if (typeof standard === "number") {
    return typeof value === "number" && Number.isFinite(value) && value >= 0;
  }
  if (typeof standard === "object") {
    return Array.isArray(value) && value.every((item) => typeof item === "string");
  }
  return typeof value === typeof standard;
}

function typeWords(standard: OptionValue): string {
  switch (typeof standard) {
    case "number":
      return "a number that is not negative";
    case "boolean":
      return "true or false";
    case "string":
      return "a text";
    default:
      return "a list of texts";
  }
}
