/**
 * Evaluates the usual expressions of device classes and claims over one device. It knows the part of CEL that they are
 * written in, compares without loss, and answers nothing for whatever it does not know: never a guess.
 */

import { parseQuantity } from "../kubernetes/quantity.ts";
import { fieldsAt, isPresentAt, textAt } from "../kubernetes/fields.ts";
import { type Fields, isFields } from "../model/fields.ts";
import { type Node, parseDeviceExpression } from "./device-syntax.ts";

/** A device as expressions see it. */
export interface DeviceFacts {
  readonly driver: string;
  /** The attributes and capacities of the device, as its slice states them. */
  readonly facts: Fields;
}

/** What a part of an expression comes to; `unknown` is also what CEL would call an error. */
type Value =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly number: bigint }
  | { readonly kind: "boolean"; readonly isTrue: boolean }
  | { readonly kind: "quantity"; readonly nanos: bigint }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "device" }
  | { readonly kind: "domains"; readonly of: "attributes" | "capacity" }
  | { readonly kind: "domain"; readonly of: "attributes" | "capacity"; readonly name: string }
  | { readonly kind: "unknown" };

interface Scope {
  readonly device: DeviceFacts;
  readonly names: ReadonlyMap<string, Value>;
}

const unknown: Value = { kind: "unknown" };

/** Whether a device matches an expression; nothing where this cannot be told. */
export function matchesDevice(expression: string, device: DeviceFacts): boolean | undefined {
  const node = parseDeviceExpression(expression);
  if (node === undefined) return undefined;
  const value = evaluate(node, { device, names: new Map([["device", { kind: "device" }]]) });
  return value.kind === "boolean" ? value.isTrue : undefined;
}

function evaluate(node: Node, scope: Scope): Value {
  switch (node.kind) {
    case "text":
    case "number":
    case "boolean":
      return node;
    case "list":
      return { kind: "list", items: node.items.map((item) => evaluate(item, scope)) };
    case "name":
      return scope.names.get(node.name) ?? unknown;
    case "member":
      return memberOf(evaluate(node.of, scope), { kind: "text", text: node.name }, scope);
    case "index":
      return memberOf(evaluate(node.of, scope), evaluate(node.at, scope), scope);
    case "not": {
      const value = evaluate(node.of, scope);
      return value.kind === "boolean" ? truth(!value.isTrue) : unknown;
    }
    case "and":
    case "or":
      return connect(node, scope);
    case "compare":
      return compare(node.operator, evaluate(node.left, scope), evaluate(node.right, scope));
    case "in":
      return isIn(evaluate(node.left, scope), evaluate(node.right, scope), scope);
    case "has":
      return isSet(evaluate(node.of, scope), node.name, scope);
    case "bind": {
      const names = new Map([...scope.names, [node.name, evaluate(node.value, scope)]]);
      return evaluate(node.body, { ...scope, names });
    }
    case "call":
      return call(
        node.name,
        node.of === undefined ? undefined : evaluate(node.of, scope),
        node.operands.map((operand) => evaluate(operand, scope)),
      );
  }
}

function truth(isTrue: boolean): Value {
  return { kind: "boolean", isTrue };
}

/** As in CEL, one side that settles the matter outweighs a fault of the other. */
function connect(
  { kind, left, right }: Extract<Node, { kind: "and" | "or" }>,
  scope: Scope,
): Value {
  const settles = kind === "or";
  const sides = [evaluate(left, scope), evaluate(right, scope)];
  if (sides.some((side) => side.kind === "boolean" && side.isTrue === settles))
    return truth(settles);
  return sides.every((side) => side.kind === "boolean") ? truth(!settles) : unknown;
}

function memberOf(value: Value, name: Value, { device }: Scope): Value {
  if (name.kind !== "text") return unknown;
  if (value.kind === "device") {
    if (name.text === "driver") return { kind: "text", text: device.driver };
    if (name.text === "attributes" || name.text === "capacity")
      return { kind: "domains", of: name.text };
    return unknown;
  }
  // A domain of which the device has nothing is an empty one.
  if (value.kind === "domains") return { kind: "domain", of: value.of, name: name.text };
  if (value.kind !== "domain") return unknown;
  const found = factOf(device, value, name.text);
  return found === undefined ? unknown : readFact(value.of, found);
}

/** A fact of a domain; names without a domain are of the driver's own. */
function factOf(
  { driver, facts }: DeviceFacts,
  { of, name: domain }: Extract<Value, { kind: "domain" }>,
  name: string,
): unknown {
  const all = fieldsAt(facts, of);
  if (isPresentAt(all, `${domain}/${name}`)) return all[`${domain}/${name}`];
  return domain === driver && isPresentAt(all, name) ? all[name] : undefined;
}

function readFact(of: "attributes" | "capacity", fact: unknown): Value {
  if (of === "capacity") {
    const nanos = parseQuantity(textAt(fact, "value") ?? textAt(fact) ?? "");
    return nanos === undefined ? unknown : { kind: "quantity", nanos };
  }
  if (!isFields(fact)) return unknown;
  const { string, int, bool } = fact;
  if (typeof string === "string") return { kind: "text", text: string };
  if (typeof bool === "boolean") return truth(bool);
  return typeof int === "number" && Number.isSafeInteger(int)
    ? { kind: "number", number: BigInt(int) }
    : unknown;
}

function compare(operator: string, left: Value, right: Value): Value {
  const order = orderOf(left, right);
  if (order === undefined) return unknown;
  switch (operator) {
    case "==":
      return truth(order === 0);
    case "!=":
      return truth(order !== 0);
    default:
      break;
  }
  if (left.kind !== "number") return unknown;
  switch (operator) {
    case "<":
      return truth(order < 0);
    case "<=":
      return truth(order <= 0);
    case ">":
      return truth(order > 0);
    default:
      return truth(order >= 0);
  }
}

/** How two values of one kind compare; nothing where they are of kinds that CEL refuses to compare. */
function orderOf(left: Value, right: Value): number | undefined {
  if (left.kind === "text" && right.kind === "text") return left.text === right.text ? 0 : 1;
  if (left.kind === "boolean" && right.kind === "boolean")
    return left.isTrue === right.isTrue ? 0 : 1;
  if (left.kind === "number" && right.kind === "number") return sign(left.number - right.number);
  if (left.kind === "quantity" && right.kind === "quantity") return sign(left.nanos - right.nanos);
  return undefined;
}

function sign(number: bigint): number {
  return number < 0n ? -1 : Number(number > 0n);
}

function isIn(item: Value, of: Value, scope: Scope): Value {
  if (of.kind === "domain" && item.kind === "text") return isSet(of, item.text, scope);
  if (of.kind !== "list") return unknown;
  const orders = of.items.map((other) => orderOf(item, other));
  if (orders.includes(0)) return truth(true);
  return orders.includes(undefined) ? unknown : truth(false);
}

function isSet(of: Value, name: string, { device }: Scope): Value {
  return of.kind === "domain" ? truth(factOf(device, of, name) !== undefined) : unknown;
}

function call(name: string, of: Value | undefined, operands: readonly Value[]): Value {
  const [first = unknown] = operands;
  if (of === undefined) {
    if (name !== "quantity" || first.kind !== "text") return unknown;
    const nanos = parseQuantity(first.text);
    return nanos === undefined ? unknown : { kind: "quantity", nanos };
  }
  if (of.kind === "text") return callOnText(name, of.text, first);
  const order = of.kind === "quantity" ? orderOf(of, first) : undefined;
  if (order === undefined) return unknown;
  switch (name) {
    case "compareTo":
      return { kind: "number", number: BigInt(order) };
    case "isGreaterThan":
      return truth(order > 0);
    case "isLessThan":
      return truth(order < 0);
    default:
      return unknown;
  }
}

function callOnText(name: string, text: string, operand: Value): Value {
  switch (name) {
    case "lowerAscii":
      return { kind: "text", text: text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) };
    case "upperAscii":
      return { kind: "text", text: text.replace(/[a-z]/g, (letter) => letter.toUpperCase()) };
    default:
      break;
  }
  if (operand.kind !== "text") return unknown;
  switch (name) {
    case "startsWith":
      return truth(text.startsWith(operand.text));
    case "endsWith":
      return truth(text.endsWith(operand.text));
    case "contains":
      return truth(text.includes(operand.text));
    default:
      return unknown;
  }
}
