/** Where an alias points, and the steps from one state to the next. Pure; the store writes each as a revision. */

import {
  type AliasRevision,
  type AliasState,
  PlatformError,
  rolloutSteps,
  type WeightedVersion,
} from "@faultline/protocol";

import type { Weighted } from "./sticky.ts";

/** A version of a bundle. */
export interface VersionName {
  readonly bundle: string;
  readonly version: number;
}

/** Shares of a state, as candidates that callers are drawn among. */
export interface AliasShare extends Weighted, VersionName {}

/** The shares of a state: a roll-out takes its percentage, and the versions that stood before share the rest. */
export function sharesOf({ versions, rollout }: AliasState): AliasShare[] {
  const sum = versions.reduce((total, { weight }) => total + weight, 0);
  const rest = 100 - (rollout?.percent ?? 0);
  const shares = versions.map(({ bundle, version, weight }) => ({
    id: idOf({ bundle, version }),
    bundle,
    version,
    weight: (weight / sum) * rest,
  }));
  if (rollout === undefined) return shares;
  const { bundle, version, percent } = rollout;
  return [...shares, { id: idOf(rollout), bundle, version, weight: percent }].filter(
    ({ weight }) => weight > 0,
  );
}

type RolloutStep = (typeof rolloutSteps)[number];

/** The state after the next step of a roll-out, or after its first. Throws `conflict` or `request_invalid`. */
export function rollOut(
  state: AliasState,
  wanted: { readonly version: VersionName | undefined; readonly percent: RolloutStep | undefined },
): AliasState {
  const { rollout } = state;
  const version = wanted.version ?? rollout;
  if (version === undefined) {
    throw new PlatformError(
      "request_invalid",
      "No roll-out runs, so the version to roll out must be named.",
      {
        where: "body /bundle",
      },
    );
  }
  if (rollout !== undefined && !isSame(rollout, version)) {
    throw new PlatformError(
      "conflict",
      `A roll-out of ${idOf(rollout)} is at ${rollout.percent} %; one alias has one roll-out at a time.`,
      { hint: "Take it to 100 %, or roll it back, first." },
    );
  }
  if (state.versions.some((known) => isSame(known, version))) {
    throw new PlatformError(
      "conflict",
      `${idOf(version)} is one of the versions of the alias already.`,
      {
        hint: "`faultline bundle alias` sets the weights.",
      },
    );
  }
  const percent = wanted.percent ?? nextStep(rollout?.percent);
  if (rollout !== undefined && percent <= rollout.percent) {
    throw new PlatformError(
      "conflict",
      `The roll-out is at ${rollout.percent} % already, and only grows.`,
      {
        hint: "`faultline bundle rollback` ends it.",
      },
    );
  }
  const { rollout: _ended, ...rest } = state;
  if (percent === 100) return { ...rest, versions: [toWeighted(version)] };
  return { ...rest, rollout: { bundle: version.bundle, version: version.version, percent } };
}

/**
 * The revision whose state a rollback restores. While a roll-out runs it is ended; else the alias goes back to where
 * it stood before, and once more to where it stood before that. `revisions` come newest first.
 */
export function rollBack(
  revisions: readonly AliasRevision[],
  wanted: number | undefined,
): { readonly state: AliasState; readonly restoredRevision: number } {
  const [current] = revisions;
  if (current === undefined) throw new PlatformError("not_found", "The alias has no revisions.");
  if (wanted !== undefined) {
    const found = revisions.find(({ revision }) => revision === wanted);
    if (found === undefined) {
      throw new PlatformError("not_found", `The alias has no revision ${wanted}.`, {
        hint: "`faultline bundle alias NAME` shows its history.",
      });
    }
    return { state: found.state, restoredRevision: wanted };
  }
  const { rollout, ...settled } = current.state;
  if (rollout !== undefined) {
    const before = revisions.find(
      (one) => one.state.rollout === undefined && isSameState(one.state, settled),
    );
    return { state: settled, restoredRevision: before?.revision ?? current.revision };
  }
  // A rollback stands where the revision that it restored stood: what came in between was left.
  const stands = current.restoredRevision ?? current.revision;
  const before = revisions.find(
    ({ revision, state }) =>
      revision < stands && state.rollout === undefined && !isSameState(state, current.state),
  );
  if (before === undefined) {
    throw new PlatformError(
      "conflict",
      "The alias never pointed anywhere else, so there is nothing to go back to.",
    );
  }
  return { state: before.state, restoredRevision: before.restoredRevision ?? before.revision };
}

function nextStep(percent: number | undefined): RolloutStep {
  return rolloutSteps.find((step) => step > (percent ?? 0)) ?? 100;
}

function toWeighted({ bundle, version }: VersionName): WeightedVersion {
  return { bundle, version, weight: 1 };
}

function isSame(one: VersionName, other: VersionName): boolean {
  return one.bundle === other.bundle && one.version === other.version;
}

function isSameState(one: AliasState, other: AliasState): boolean {
  return (
    one.stickyHeader === other.stickyHeader &&
    one.versions.length === other.versions.length &&
    one.versions.every((version, index) => {
      const match = other.versions[index];
      return match !== undefined && isSame(version, match) && version.weight === match.weight;
    })
  );
}

function idOf({ bundle, version }: VersionName): string {
  return `${bundle}@${version}`;
}
