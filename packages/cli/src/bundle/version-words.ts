/** How versions stand on the command line: `NAME`, `NAME@VERSION`, `NAME@VERSION=WEIGHT`. */

import { bundleNamePattern } from "@faultline/protocol";

import { UsageError } from "../command.ts";

export interface VersionWords {
  readonly bundle: string;
  /** Absent: the newest. */
  readonly version?: number;
}

const form = /^(?<name>[^@=]+)(?:@(?<version>[1-9]\d{0,5}))?(?:=(?<weight>[1-9]\d{0,3}))?$/;

/** Reads `NAME` or `NAME@VERSION`. */
export function readVersion(text: string): VersionWords {
  const { weight, ...version } = readWeighted(text);
  if (weight === undefined) return version;
  throw new UsageError(`A weight has no place in '${text}'.`);
}

/** Reads `NAME@VERSION=WEIGHT`, of which the last two may be missing. */
export function readWeighted(text: string): VersionWords & { readonly weight?: number } {
  const { name, version, weight } = form.exec(text)?.groups ?? {};
  if (name === undefined || !new RegExp(bundleNamePattern).test(name)) {
    throw new UsageError(
      `'${text}' is no version of a bundle; it is written NAME, NAME@VERSION or NAME@VERSION=WEIGHT.`,
    );
  }
  return {
    bundle: name,
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(weight === undefined ? {} : { weight: Number(weight) }),
  };
}
