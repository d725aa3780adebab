/** The targets of a bundle for one request, in the order in which they are tried. */

import type { TargetSupport } from "@faultline/protocol";

import type { Target } from "../catalog.ts";
import type { ActiveBundle, ActiveTarget } from "./active-bundle.ts";
import type { SnapshotKill } from "./bundle-snapshot.ts";
import type { KeyFacts, RequestFacts } from "./condition.ts";
import { orderSticky } from "./sticky.ts";

/** What a request needs of its target. */
export interface RequestNeeds {
  /** About how many tokens input and output take together. */
  readonly tokens: number;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly jsonSchema: boolean;
}

export interface RoutedRequest {
  readonly needs: RequestNeeds;
  /** By what targets of one order are drawn; the same key has the same order. */
  readonly stickyKey: string;
  /** Asked only for a bundle with conditions. */
  facts(): { readonly request: RequestFacts; readonly key: KeyFacts };
  /** The kill switch that stops a target. */
  killOf(target: Target): SnapshotKill | undefined;
  /** Whether the caller may reach a target through the bundle; without it, it may reach all of them. */
  readonly admits: ((target: Target) => boolean) | undefined;
  /** Whether it is known what a target costs. */
  isPriced(target: Target): boolean;
}

export interface RoutedTarget {
  readonly target: Target;
  /** Tokens of input and output together; `undefined` is not declared. */
  readonly contextTokenCountMax: number | undefined;
}

export type Route =
  | { readonly kind: "found"; readonly targets: readonly RoutedTarget[] }
  /** Every target that could serve it is killed; one of the switches. */
  | { readonly kind: "killed"; readonly kill: SnapshotKill }
  /** Every target that could serve it is none of the caller's; one of them. */
  | { readonly kind: "forbidden"; readonly target: Target }
  /** What stands against each target, a sentence each. */
  | { readonly kind: "none"; readonly reasons: readonly string[] };

/**
 * The first target is the first one that says nothing against the request. Those behind it are fallbacks: they must declare
 * all that the request needs, and every safety policy under which the first one stands.
 */
export function routeOf(bundle: ActiveBundle, request: RoutedRequest): Route {
  const [only] = bundle.targets;
  const isOne = bundle.targets.length === 1;
  if (isOne && only?.target !== undefined && isBare(only) && request.isPriced(only.target)) {
    // What most bundles are costs no lists.
    const kill = request.killOf(only.target);
    if (isForbidden(only.target, request)) return { kind: "forbidden", target: only.target };
    return kill === undefined ? { kind: "found", targets: routed(only) } : { kind: "killed", kill };
  }
  const reasons: string[] = [];
  let kill: SnapshotKill | undefined;
  let forbidden: Target | undefined;
  const facts = bundle.hasConditions ? request.facts() : undefined;
  const fit = inOrder(bundle.targets, request.stickyKey).filter((candidate) => {
    const { target, condition, declared } = candidate;
    const killed = target === undefined ? undefined : request.killOf(target);
    kill ??= killed;
    const isForeign = target !== undefined && isForbidden(target, request);
    if (isForeign) forbidden ??= target;
    const refusal =
      target === undefined || !request.isPriced(target)
        ? "no configured provider serves it at a price"
        : killed !== undefined
          ? "it is killed"
          : isForeign
            ? "the key may not call it"
            : condition !== undefined &&
                facts !== undefined &&
                !condition.holds(facts.request, facts.key)
              ? "its condition does not hold"
              : shortcoming(declared.supports ?? {}, request.needs, false);
    if (refusal !== undefined) reasons.push(`${declared.model}: ${refusal}.`);
    return refusal === undefined;
  });
  const [first, ...rest] = fit;
  if (first === undefined) {
    if (kill !== undefined) return { kind: "killed", kill };
    return forbidden === undefined
      ? { kind: "none", reasons }
      : { kind: "forbidden", target: forbidden };
  }
  const fallbacks = rest.filter((candidate) => mayFollow(first, candidate, request.needs));
  return {
    kind: "found",
    targets: [first, ...fallbacks].flatMap((candidate) => routed(candidate)),
  };
}

function isForbidden(target: Target, { admits }: RoutedRequest): boolean {
  return admits?.(target) === false;
}

function routed({ target, declared }: ActiveTarget): RoutedTarget[] {
  if (target === undefined) return [];
  return [{ target, contextTokenCountMax: declared.supports?.contextTokens }];
}

function isBare({ condition, declared }: ActiveTarget): boolean {
  return condition === undefined && declared.supports === undefined;
}

/** Lower orders first; within one, as the key draws them by weight. */
function inOrder(targets: readonly ActiveTarget[], stickyKey: string): ActiveTarget[] {
  const orders = [...new Set(targets.map(({ order }) => order))];
  return orders.flatMap((order) =>
    orderSticky(
      targets.filter((candidate) => candidate.order === order),
      stickyKey,
    ),
  );
}

function mayFollow(first: ActiveTarget, candidate: ActiveTarget, needs: RequestNeeds): boolean {
  const supports = candidate.declared.supports ?? {};
  if (shortcoming(supports, needs, true) !== undefined) return false;
  const declared = supports.safety ?? [];
  return (first.declared.supports?.safety ?? []).every((policy) => declared.includes(policy));
}

/** What a target lacks for a request. What it does not speak of counts as lacking only when it must be declared. */
function shortcoming(
  supports: TargetSupport,
  needs: RequestNeeds,
  mustDeclare: boolean,
): string | undefined {
  const lacks = (declared: boolean | undefined): boolean =>
    mustDeclare ? declared !== true : declared === false;
  if (needs.tools && lacks(supports.tools)) return "it has no tools";
  if (needs.vision && lacks(supports.vision)) return "it takes no images";
  if (needs.jsonSchema && lacks(supports.jsonSchema)) return "it answers in no JSON schema";
  const { contextTokens } = supports;
  if (contextTokens === undefined)
    return mustDeclare ? "its context length is not declared" : undefined;
  if (needs.tokens > contextTokens) {
    return `the request may take ${needs.tokens} tokens, more than its ${contextTokens}`;
  }
  return undefined;
}
