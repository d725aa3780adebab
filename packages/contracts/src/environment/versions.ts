/** Versions of what programs are made of. */

export interface Version {
  readonly numbers: readonly number[];
  /** What follows the numbers, as `-rc.1`. */
  readonly rest: string;
}

const pattern = /^(?:[a-z][a-z -]{0,20})?v?(\d{1,9}(?:\.\d{1,9}){0,4})((?:[-+._~a-z ].{0,100})?)$/i;

/** The version that a text is, or nothing. */
export function versionOf(text: string): Version | undefined {
  const match = pattern.exec(text.trim());
  if (match === null) return undefined;
  const numbers = (match[1] ?? "").split(".").map(Number);
  return { numbers, rest: match[2] ?? "" };
}

export type VersionStep = "major" | "minor" | "patch" | "build";

/** The first place at which two versions differ; nothing where they are the same. */
export function stepBetween(one: Version, other: Version): VersionStep | undefined {
  const steps: readonly VersionStep[] = ["major", "minor", "patch"];
  const length = Math.max(one.numbers.length, other.numbers.length);
  for (let index = 0; index < length; index += 1) {
    if ((one.numbers[index] ?? 0) !== (other.numbers[index] ?? 0)) return steps[index] ?? "build";
  }
  return one.rest === other.rest ? undefined : "build";
}
