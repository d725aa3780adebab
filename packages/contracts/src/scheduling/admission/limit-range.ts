/** Limit ranges: the defaults that they write into pods, and the bounds that they hold pods to. */

import { fieldsAt, listAt, textAt } from "../../kubernetes/fields.ts";
import type { Source } from "../../kubernetes/objects.ts";
import { formatAmount, parseQuantity } from "../../kubernetes/quantity.ts";
import { type Amounts, combine, readList } from "../requests.ts";
import type { Draft, DraftContainer } from "./draft.ts";

/** One item of a limit range. */
export interface LimitItem {
  readonly type: string;
  readonly min: Amounts;
  readonly max: Amounts;
  readonly defaults: Amounts;
  readonly defaultRequests: Amounts;
  /** The largest quotient of limit and request, in units of 10^-9. */
  readonly ratioMaxNanos: ReadonlyMap<string, bigint>;
}

export interface LimitRange {
  readonly source: Source;
  readonly name: string;
  readonly items: readonly LimitItem[];
}

/** A bound that a pod does not keep, and what would keep it. */
export interface RangeFault {
  readonly range: LimitRange;
  readonly text: string;
  readonly resource: string;
  /** The container; absent when the pod as a whole is meant. */
  readonly container: string | undefined;
  readonly side: "requests" | "limits";
  readonly bound: bigint | undefined;
}

/** Reads a limit range, with the defaults that follow from its bounds. */
export function readLimitRange(source: Source): LimitRange {
  const items = listAt(source.object, "spec", "limits").map((item): LimitItem => {
    const amounts = (field: string): Map<string, bigint> =>
      readList(fieldsAt(item, field), field, []);
    const type = textAt(item, "type") ?? "";
    const [min, max] = [amounts("min"), amounts("max")];
    const isForContainers = type === "Container";
    const defaults = new Map([...(isForContainers ? max : []), ...amounts("default")]);
    const defaultRequests = new Map([
      ...(isForContainers ? min : []),
      ...(isForContainers ? defaults : []),
      ...amounts("defaultRequest"),
    ]);
    const ratioMaxNanos = new Map<string, bigint>();
    for (const [resource, text] of Object.entries(fieldsAt(item, "maxLimitRequestRatio"))) {
      const nanos = parseQuantity(String(text));
      if (nanos !== undefined) ratioMaxNanos.set(resource, nanos);
    }
    return { type, min, max, defaults, defaultRequests, ratioMaxNanos };
  });
  return { source, name: source.object.metadata.name, items };
}

/** The draft with the defaults of the limit ranges, where containers leave something out. */
export function withDefaults(draft: Draft, ranges: readonly LimitRange[]): Draft {
  let containers = draft.containers;
  for (const item of ranges.flatMap((range) => range.items)) {
    if (item.type !== "Container") continue;
    containers = containers.map((container) => ({
      ...container,
      limits: new Map([...item.defaults, ...container.limits]),
      requests: new Map([...item.defaultRequests, ...container.requests]),
    }));
  }
  return { ...draft, containers };
}

/** The bounds that a draft does not keep, in a stable order. */
export function rangeFaults(draft: Draft, ranges: readonly LimitRange[]): RangeFault[] {
  return ranges.flatMap((range) =>
    range.items.flatMap((item) => {
      if (item.type === "Container") {
        return draft.containers.flatMap((container) =>
          faultsOf(range, item, { ...container, container: container.name }),
        );
      }
      if (item.type !== "Pod") return [];
      const whole = {
        requests: sumOf(draft.containers, "requests"),
        limits: sumOf(draft.containers, "limits"),
        container: undefined,
      };
      return faultsOf(range, item, whole);
    }),
  );
}

/** Amounts that every container which counts states; what one leaves out is unlimited for the pod. */
function sumOf(containers: readonly DraftContainer[], side: "requests" | "limits"): Amounts {
  const total = combine(
    containers.map(({ isInit, isSidecar, [side]: amounts }) => ({ amounts, isInit, isSidecar })),
  );
  const lasting = containers.filter(({ isInit }) => !isInit);
  return new Map(
    [...total].filter(([resource]) => lasting.every((item) => item[side].has(resource))),
  );
}

interface Stated {
  readonly requests: Amounts;
  readonly limits: Amounts;
  readonly container: string | undefined;
}

function faultsOf(range: LimitRange, item: LimitItem, stated: Stated): RangeFault[] {
  const { type } = item;
  const { requests, limits, container } = stated;
  const fault = (
    resource: string,
    side: RangeFault["side"],
    rest: { text: string; bound: bigint | undefined },
  ): RangeFault => ({ range, resource, container, side, ...rest });
  const faults: RangeFault[] = [];
  for (const [resource, bound] of item.min) {
    const head = `minimum ${resource} usage per ${type} is ${formatAmount(resource, bound)}`;
    const [request, limit] = [requests.get(resource), limits.get(resource)];
    if (request === undefined)
      faults.push(
        fault(resource, "requests", { text: `${head}.  No request is specified`, bound }),
      );
    else if (request < bound)
      faults.push(
        fault(resource, "requests", {
          text: `${head}, but request is ${formatAmount(resource, request)}`,
          bound,
        }),
      );
    else if (limit !== undefined && limit < bound)
      faults.push(
        fault(resource, "limits", {
          text: `${head}, but limit is ${formatAmount(resource, limit)}`,
          bound,
        }),
      );
  }
  for (const [resource, bound] of item.max) {
    const head = `maximum ${resource} usage per ${type} is ${formatAmount(resource, bound)}`;
    const [request, limit] = [requests.get(resource), limits.get(resource)];
    if (limit === undefined)
      faults.push(fault(resource, "limits", { text: `${head}.  No limit is specified`, bound }));
    else if (limit > bound)
      faults.push(
        fault(resource, "limits", {
          text: `${head}, but limit is ${formatAmount(resource, limit)}`,
          bound,
        }),
      );
    else if (request !== undefined && request > bound)
      faults.push(
        fault(resource, "requests", {
          text: `${head}, but request is ${formatAmount(resource, request)}`,
          bound,
        }),
      );
  }
  return [...faults, ...ratioFaults(item, stated, fault)];
}

function ratioFaults(
  { type, ratioMaxNanos }: LimitItem,
  { requests, limits }: Stated,
  fault: (
    resource: string,
    side: RangeFault["side"],
    rest: { text: string; bound: bigint | undefined },
  ) => RangeFault,
): RangeFault[] {
  return [...ratioMaxNanos].flatMap(([resource, nanos]): RangeFault[] => {
    const head = `${resource} max limit to request ratio per ${type} is ${ratioText(nanos)}`;
    const [request = 0n, limit = 0n] = [requests.get(resource), limits.get(resource)];
    if (request === 0n) {
      const text = `${head}, but no request is specified or request is 0`;
      return [fault(resource, "requests", { text, bound: undefined })];
    }
    if (limit === 0n) {
      const text = `${head}, but no limit is specified or limit is 0`;
      return [fault(resource, "limits", { text, bound: undefined })];
    }
    if (limit * 1_000_000_000n <= request * nanos) return [];
    const ratio = (Number(limit) / Number(request)).toFixed(6);
    const bound = (request * nanos) / 1_000_000_000n;
    return [fault(resource, "limits", { text: `${head}, but provided ratio is ${ratio}`, bound })];
  });
}

function ratioText(nanos: bigint): string {
  return nanos % 1_000_000_000n === 0n ? `${nanos / 1_000_000_000n}` : `${nanos / 1_000_000n}m`;
}
