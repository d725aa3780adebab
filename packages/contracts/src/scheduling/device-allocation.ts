/** Whether the devices that a node reaches can serve what claims ask for: for certain, perhaps, or in no way. */

import { type DeviceFacts, matchesDevice } from "./device-expression.ts";
import { type Device, reaches } from "./device-pools.ts";
import type { DeviceAsk, DeviceRequest, SharedAttribute, WantedDevices } from "./devices.ts";
import { isTolerated } from "./filters/taint-toleration.ts";
import type { Node } from "./node.ts";
import { fieldsAt, isPresentAt, textAt } from "../kubernetes/fields.ts";

export type Allocation =
  | { readonly kind: "certain" }
  | { readonly kind: "possible"; readonly unjudged: readonly string[] }
  | {
      readonly kind: "impossible";
      /** The driver that everything is asked of, where there is one. */
      readonly driver: string | undefined;
      readonly wanted: number;
      readonly available: number;
    };

/** More ways to choose among alternatives and common values than this are not tried one by one. */
const wayCountMax = 256;
/** More devices than this are counted and not assigned one by one; the API takes 32 for a claim. */
const slotCountMax = 256;

/** One way to serve all requests: one alternative for each, and a value for each attribute that devices must share. */
interface Way {
  readonly asks: readonly { readonly request: DeviceRequest; readonly ask: DeviceAsk }[];
  readonly shared: readonly { readonly rule: SharedAttribute; readonly value: string }[];
}

/** Tries every way to serve what is wanted from the devices that a node reaches. */
export function allocate(
  wanted: WantedDevices,
  devices: readonly Device[],
  node: Node,
): Allocation {
  if (wanted.requests.length === 0) return { kind: "certain" };
  const reachable = devices.filter((device) => reaches(device, node));
  const ways = waysOf(wanted, reachable);
  const isCertain =
    !isInDoubt(wanted, reachable) && ways.some((way) => serves(way, reachable, "certain"));
  if (isCertain && wanted.unjudged.length === 0) return { kind: "certain" };
  if (isCertain || ways.some((way) => serves(way, reachable, "possible")))
    return { kind: "possible", unjudged: unjudgedOf(wanted, reachable) };
  return lacking(wanted, reachable);
}

/** A device of which an expression says nothing may be a fault of the expression, which ends the whole attempt. */
function isInDoubt({ requests }: WantedDevices, reachable: readonly Device[]): boolean {
  return requests.some(({ alternatives }) =>
    alternatives.some((ask) =>
      reachable.some(
        (device) => (ask.isAll || !device.isHeld) && matches(device, ask) === undefined,
      ),
    ),
  );
}

function waysOf({ requests, shared }: WantedDevices, reachable: readonly Device[]): Way[] {
  let ways: Way[] = [{ asks: [], shared: [] }];
  for (const request of requests) {
    const next = ways.flatMap((way) =>
      request.alternatives.map((ask) => ({ ...way, asks: [...way.asks, { request, ask }] })),
    );
    // Too many to try: the alternative that asks for least stands for all, which can only let more in.
    const [least] = [...request.alternatives].sort((left, right) => left.count - right.count);
    if (next.length <= wayCountMax || least === undefined) ways = next;
    else {
      const vague = { ...least, expressions: [], isVague: true };
      ways = ways.map((way) => ({ ...way, asks: [...way.asks, { request, ask: vague }] }));
    }
  }
  for (const rule of shared) {
    const values = new Set(
      reachable.flatMap((device) => attributeOf(device, rule.attribute) ?? []),
    );
    const next = ways.flatMap((way) =>
      [...values].map((value) => ({ ...way, shared: [...way.shared, { rule, value }] })),
    );
    if (next.length > wayCountMax) {
      return ways.map(({ asks, shared: chosen }) => ({
        shared: chosen,
        asks: asks.map(({ request, ask }) => ({ request, ask: { ...ask, isVague: true } })),
      }));
    }
    ways = next;
  }
  return ways;
}

/** The value of an attribute as a text; names without a domain are of the driver's own. */
function attributeOf({ driver, facts }: DeviceFacts, name: string): string | undefined {
  const attributes = fieldsAt(facts, "attributes");
  const short = name.startsWith(`${driver}/`) ? name.slice(driver.length + 1) : name;
  const found = isPresentAt(attributes, name) ? attributes[name] : attributes[short];
  if (found === undefined) return undefined;
  const kinds = ["string", "int", "bool", "version"] as const;
  const kind = kinds.find((field) => isPresentAt(found, field));
  return kind === undefined ? undefined : `${kind} ${textAt(found, kind) ?? ""}`;
}

/** Assigns a device to each that is asked for; what is only possible counts unless certainty is asked for. */
function serves(way: Way, reachable: readonly Device[], level: "certain" | "possible"): boolean {
  const taken = new Set<Device>();
  const slots: (readonly Device[])[] = [];
  for (const { request, ask } of way.asks) {
    const fit = reachable.filter((device) => isFit(device, { request, ask, way, level }));
    if (!ask.isAll) {
      // A device that several may hold takes any number of them, as far as is known here.
      if (level === "possible" && fit.some((device) => device.isShared)) continue;
      const free = fit.filter((device) => !device.isHeld);
      for (let index = 0; index < ask.count; index += 1) slots.push(free);
      continue;
    }
    const all = reachable.filter((device) => matches(device, ask) !== false);
    if (fit.length === 0) return false;
    const isOpen = all.some((device) => matches(device, ask) === undefined);
    if (level === "certain" && (isOpen || fit.length < all.length)) return false;
    const sure = all.filter((device) => matches(device, ask) === true && !device.isShared);
    if (sure.some((device) => device.isHeld || taken.has(device))) return false;
    for (const device of sure) taken.add(device);
  }
  if (slots.length > slotCountMax) return level === "possible" && slots.every(isNotEmpty);
  return assigns(slots.map((slot) => slot.filter((device) => !taken.has(device))));
}

function isNotEmpty(list: readonly unknown[]): boolean {
  return list.length > 0;
}

interface Question {
  readonly request: DeviceRequest;
  readonly ask: DeviceAsk;
  readonly way: Way;
  readonly level: "certain" | "possible";
}

function isFit(device: Device, { request, ask, way, level }: Question): boolean {
  const isShared = way.shared.every(
    ({ rule, value }) =>
      rule.claim !== request.claim ||
      (rule.requests.length > 0 && !rule.requests.includes(request.name)) ||
      attributeOf(device, rule.attribute) === value,
  );
  if (!isShared || !device.taints.every((taint) => isTolerated(taint, ask.tolerations)))
    return false;
  const found = matches(device, ask);
  return level === "possible"
    ? found !== false
    : found === true && !device.isIntricate && !ask.isVague;
}

/** A memory and no state: the same ask and device always match the same. */
const known = new WeakMap<DeviceAsk, WeakMap<Device, { readonly is: boolean | undefined }>>();

function matches(device: Device, ask: DeviceAsk): boolean | undefined {
  const ofAsk = known.get(ask) ?? new WeakMap<Device, { readonly is: boolean | undefined }>();
  known.set(ask, ofAsk);
  const answer = ofAsk.get(device);
  if (answer !== undefined) return answer.is;
  let is: boolean | undefined = true;
  for (const expression of ask.expressions) {
    is = matchesDevice(expression, device);
    // What follows is not asked any more, neither after a no nor after a fault.
    if (is !== true) break;
  }
  ofAsk.set(device, { is });
  return is;
}

/** Gives every slot a device of its own, moving others where needed, until one finds none. */
function assigns(slots: readonly (readonly Device[])[]): boolean {
  const holder = new Map<Device, number>();
  const place = (slot: number, tried: Set<Device>): boolean =>
    (slots[slot] ?? []).some((device) => {
      if (tried.has(device)) return false;
      tried.add(device);
      const other = holder.get(device);
      if (other !== undefined && !place(other, tried)) return false;
      holder.set(device, slot);
      return true;
    });
  return slots.every((_slot, index) => place(index, new Set()));
}

/** What keeps the answer from being certain. */
function unjudgedOf(
  { requests, unjudged }: WantedDevices,
  reachable: readonly Device[],
): readonly string[] {
  const asks = requests.flatMap((request) => request.alternatives);
  const open = asks.flatMap((ask) =>
    ask.expressions.filter((expression) =>
      reachable.some((device) => matchesDevice(expression, device) === undefined),
    ),
  );
  const all = [
    ...unjudged,
    ...[...new Set(open)].map((text) => `whether devices match ${text.slice(0, 120)}`),
    ...asks.flatMap(({ vague }) => vague),
  ];
  return all.length > 0 ? all : ["whether the devices that are left can be allocated together"];
}

function lacking({ requests }: WantedDevices, reachable: readonly Device[]): Allocation {
  const drivers = new Set(
    requests.flatMap(({ alternatives }) => alternatives.map((ask) => ask.driver)),
  );
  const [driver] = drivers.size === 1 ? drivers : [undefined];
  const wanted = requests.reduce(
    (sum, { alternatives }) => sum + Math.min(...alternatives.map((ask) => ask.count)),
    0,
  );
  const asks = requests.flatMap(({ alternatives }) => alternatives);
  const available = reachable.filter(
    (device) => !device.isHeld && asks.some((ask) => matches(device, ask) !== false),
  ).length;
  return { kind: "impossible", driver, wanted, available };
}
