/** Versions of prices: what work costs is told by the version that is valid when the work is admitted. */

import { PlatformError, type PriorityClass } from "@faultline/protocol";

import { divideUp, type Price, tokenCost, tokensPerPrice } from "./price.ts";

/** What has a price: a model at a provider, or a second of a kind of device. */
export type PriceSubject =
  | { readonly kind: "model"; readonly provider: string; readonly model: string }
  | { readonly kind: "device"; readonly deviceKind: string };

interface VersionSpan {
  /** Never given to another version; usage events name it. */
  readonly id: string;
  /** Valid from this moment on, in milliseconds since the Unix epoch. */
  readonly validFromMs: number;
  /** The first moment at which it no longer holds; absent while no end is known. */
  readonly validUntilMs?: number;
  /** What a priority costs, in thousandths of the price; a class that is absent costs 1,000. */
  readonly priorityPermille?: Readonly<Partial<Record<PriorityClass, bigint>>>;
}

/** One price of one subject in one span of time. */
export type PriceVersion =
  | (VersionSpan & {
      readonly kind: "model";
      readonly provider: string;
      readonly model: string;
      readonly price: Price;
      /** For output that the model thinks and does not say; absent: as other output. */
      readonly reasoningMicrosPerMillionTokens?: bigint;
    })
  | (VersionSpan & {
      readonly kind: "device";
      readonly deviceKind: string;
      readonly microsPerSecond: bigint;
    });

export type ModelPriceVersion = Extract<PriceVersion, { readonly kind: "model" }>;

/** What a model costs for which no version is valid, because the policy of a tenant says so. */
export type DefaultPrice = Pick<
  ModelPriceVersion,
  "id" | "price" | "reasoningMicrosPerMillionTokens"
>;

/** What was used. Cached input is a part of the input and reasoning a part of the output, never beside them. */
export interface MeteredUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly reasoningTokens: number;
  readonly outputTokens: number;
  readonly deviceSeconds: number;
}

export type PriceResolution =
  | { readonly kind: "priced"; readonly version: PriceVersion; readonly isDefault: boolean }
  | { readonly kind: "price-unknown" };

export interface PriceBook {
  /**
   * The version of a subject that is valid at a moment; else, of a model, the default of the tenant. Without either nothing
   * is admitted.
   */
  resolve(subject: PriceSubject, atMs: number, standIn?: DefaultPrice): PriceResolution;
  /** A version by its id, also one whose time is over: work that was admitted under it is settled by it. */
  version(id: string): PriceVersion | undefined;
}

const permille = 1_000n;

/** Makes a book. Throws `configuration_invalid` for an id that stands twice and for two versions that are valid at once. */
export function openPriceBook(versions: readonly PriceVersion[]): PriceBook {
  const byId = new Map<string, PriceVersion>();
  const bySubject = new Map<string, PriceVersion[]>();
  for (const version of versions) {
    if (byId.has(version.id)) throw invalid(version, "its id stands twice");
    byId.set(version.id, version);
    const subject = subjectKey(version);
    const known = bySubject.get(subject);
    if (known === undefined) bySubject.set(subject, [version]);
    else known.push(version);
  }
  for (const known of bySubject.values()) {
    known.sort((a, b) => a.validFromMs - b.validFromMs);
    refuseOverlap(known);
  }
  return {
    version: (id) => byId.get(id),
    resolve(subject, atMs, standIn) {
      const version = validAt(bySubject.get(subjectKey(subject)) ?? [], atMs);
      if (version !== undefined) return { kind: "priced", version, isDefault: false };
      // It is one of tokens: seconds of devices cannot be charged by it.
      if (standIn === undefined || subject.kind !== "model") return { kind: "price-unknown" };
      return {
        kind: "priced",
        version: { ...subject, ...standIn, validFromMs: 0 },
        isDefault: true,
      };
    },
  };
}

/** What usage costs under a version, in whole micros, rounded up once at the end. */
export function costUnder(
  version: PriceVersion,
  usage: MeteredUsage,
  priority?: PriorityClass,
): bigint {
  const factor = factorOf(version, priority);
  if (version.kind === "device") {
    // Seconds come as milliseconds at the finest, so that a float never touches the price.
    const deviceMs = BigInt(Math.ceil(usage.deviceSeconds * 1_000));
    return divideUp(deviceMs * version.microsPerSecond * factor, permille * permille);
  }
  const { price, reasoningMicrosPerMillionTokens } = version;
  const { inputTokens, cachedInputTokens, outputTokens } = usage;
  const reasoning = Math.min(usage.reasoningTokens, outputTokens);
  const said = { inputTokens, cachedInputTokens, outputTokens: outputTokens - reasoning };
  const total =
    tokenCost(price, said) +
    BigInt(reasoning) * (reasoningMicrosPerMillionTokens ?? price.outputMicrosPerMillionTokens);
  return divideUp(total * factor, tokensPerPrice * permille);
}

function validAt(versions: readonly PriceVersion[], atMs: number): PriceVersion | undefined {
  let found: PriceVersion | undefined;
  for (const version of versions) {
    if (version.validFromMs > atMs) break;
    found = version;
  }
  if (found?.validUntilMs !== undefined && found.validUntilMs <= atMs) return undefined;
  return found;
}

/**
 * What so many tokens cost at most under a version, in micros per million, for who holds credit before they are used: the
 * dearer class of input and of output, with the multiplier of the priority, rounded up.
 */
export function priceBoundUnder(
  version: ModelPriceVersion,
  priority?: PriorityClass,
): { readonly inputMicrosPerMillionTokens: number; readonly outputMicrosPerMillionTokens: number } {
  const factor = factorOf(version, priority);
  const { price, reasoningMicrosPerMillionTokens: reasoning = 0n } = version;
  const bound = (one: bigint, other: bigint): number =>
    Number(divideUp((one > other ? one : other) * factor, permille));
  return {
    inputMicrosPerMillionTokens: bound(
      price.inputMicrosPerMillionTokens,
      price.cachedInputMicrosPerMillionTokens,
    ),
    outputMicrosPerMillionTokens: bound(price.outputMicrosPerMillionTokens, reasoning),
  };
}

function factorOf(
  { priorityPermille }: PriceVersion,
  priority: PriorityClass = "standard",
): bigint {
  return priorityPermille?.[priority] ?? permille;
}

/** A version without an end gives way to the next; one with an end must have ended by then. */
function refuseOverlap(sorted: readonly PriceVersion[]): void {
  sorted.forEach((version, index) => {
    const { validFromMs, validUntilMs } = version;
    if (validUntilMs !== undefined && validUntilMs <= validFromMs) {
      throw invalid(version, "it ends before it begins");
    }
    const next = sorted[index + 1];
    if (next === undefined) return;
    const isOpen = validUntilMs === undefined && next.validFromMs > validFromMs;
    const hasEnded = validUntilMs !== undefined && validUntilMs <= next.validFromMs;
    if (!isOpen && !hasEnded) throw invalid(version, `${next.id} is valid at the same time`);
  });
}

function subjectKey(subject: PriceSubject): string {
  return subject.kind === "model"
    ? `model ${subject.provider}/${subject.model}`
    : `device ${subject.deviceKind}`;
}

function invalid(version: PriceVersion, fault: string): PlatformError {
  return new PlatformError(
    "configuration_invalid",
    `The price version ${version.id} cannot be used: ${fault}.`,
    { where: version.id, hint: "Give each version an id of its own and a span of its own." },
  );
}
