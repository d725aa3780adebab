/** The macros of CEL: has, all, exists, exists_one, map, filter and cel.bind. */

import type { ASTNode } from "@marcbachmann/cel-js";

import { ExpressionError, Fault } from "./fault.ts";
import type { Node, Scope, Slots } from "./node.ts";
import type { Steps } from "./steps.ts";
import { isMap, itemOf, keysOf } from "./values.ts";

interface MacroCall {
  readonly node: ASTNode;
  readonly given: readonly ASTNode[];
  readonly slots: Slots;
  readonly compile: (node: ASTNode, slots: Slots) => Node;
}

/** The compiled macro, or nothing where the name with these operands is none. */
export function compileMacro(
  name: string,
  receiver: ASTNode | undefined,
  call: MacroCall,
): Node | undefined {
  if (receiver === undefined) return name === "has" ? compileHas(call) : undefined;
  if (name === "bind" && receiver.op === "id" && receiver.args === "cel") return compileBind(call);
  const iterate = iterations[name];
  if (iterate === undefined || call.given.length < 2) return undefined;
  return compileIteration(receiver, iterate, call);
}

function compileHas({ node, given, slots, compile }: MacroCall): Node {
  const [asked] = given;
  if (asked?.op !== ".") {
    throw new ExpressionError("has() takes a field, as in has(span.attributes.name).", node);
  }
  const container = compile(asked.args[0], slots);
  const name = asked.args[1];
  return (scope) => {
    const held = container(scope);
    // Where the container is missing itself, its field is too.
    if (held instanceof Fault) return held.kind === "missing" ? false : held;
    const item = itemOf(held, name);
    return item !== undefined && item !== null;
  };
}

function compileBind({ node, given, slots, compile }: MacroCall): Node {
  const [variable, value, body] = given;
  if (variable?.op !== "id" || value === undefined || body === undefined) {
    throw new ExpressionError("cel.bind takes a name, a value and an expression.", node);
  }
  const slot = slots.next;
  const bound = compile(value, slots);
  const run = compile(body, slots.with(variable.args));
  return (scope) => {
    const given = bound(scope);
    if (given instanceof Fault) return given;
    scope.values[slot] = given;
    return run(scope);
  };
}

/** What a turn of an iteration gives: the values of its expressions, the item first. */
interface Iteration {
  /** Called with each item; gives a result to end the walk with, or nothing to go on. */
  turn(values: readonly unknown[]): { readonly result: unknown } | undefined;
  /** The result when no turn ended the walk. */
  end(): unknown;
}

type StartIteration = (bodyCount: number, start: number) => Iteration;

const iterations: Readonly<Record<string, StartIteration>> = {
  all: (_count, start) => quantifier(false, start),
  exists: (_count, start) => quantifier(true, start),
  exists_one: (_count, start) => {
    let count = 0;
    return {
      turn: ([, holds]) => {
        const fault = faultOf(holds, start);
        if (fault !== undefined) return { result: fault };
        if (holds === true) count += 1;
        return undefined;
      },
      end: () => count === 1,
    };
  },
  map: (bodyCount, start) => collecting(start, bodyCount === 2, (values) => values[bodyCount]),
  filter: (_count, start) => collecting(start, true, (values) => values[0]),
};

/** `all` and `exists`: a turn that decides ends the walk; a fault counts only when none does. */
function quantifier(decisive: boolean, start: number): Iteration {
  let fault: Fault | undefined;
  return {
    turn: ([, holds]) => {
      if (holds === decisive) return { result: decisive };
      fault ??= faultOf(holds, start);
      return undefined;
    },
    end: () => fault ?? !decisive,
  };
}

/** `map` and `filter`: collects what `pick` takes of each turn, or of those whose first expression holds. */
function collecting(
  start: number,
  isFiltered: boolean,
  pick: (values: readonly unknown[]) => unknown,
): Iteration {
  const collected: unknown[] = [];
  return {
    turn: (values) => {
      if (isFiltered) {
        const fault = faultOf(values[1], start);
        if (fault !== undefined) return { result: fault };
        if (values[1] === false) return undefined;
      }
      const picked = pick(values);
      if (picked instanceof Fault) return { result: picked };
      collected.push(picked);
      return undefined;
    },
    end: () => collected,
  };
}

function faultOf(value: unknown, start: number): Fault | undefined {
  if (value instanceof Fault) return value;
  if (typeof value === "boolean") return undefined;
  return new Fault("type", "the condition of an iteration is neither true nor false", start);
}

function compileIteration(
  receiver: ASTNode,
  startIteration: StartIteration,
  { node, given, slots, compile }: MacroCall,
): Node {
  const [variable, ...bodies] = given;
  if (variable?.op !== "id") {
    throw new ExpressionError(
      "The first operand of an iteration names its item.",
      variable ?? node,
    );
  }
  const slot = slots.next;
  const inner = slots.with(variable.args);
  const list = compile(receiver, slots);
  const nodes = bodies.map((body) => compile(body, inner));
  return (scope) => {
    const items = itemsOf(list(scope), node.start, scope.steps);
    if (items instanceof Fault) return items;
    const iteration = startIteration(nodes.length, node.start);
    for (const item of items) {
      const ended = iteration.turn(turnValues(item, { slot, nodes, scope }));
      if (ended !== undefined) return ended.result;
    }
    return iteration.end();
  };
}

function turnValues(
  item: unknown,
  { slot, nodes, scope }: { slot: number; nodes: readonly Node[]; scope: Scope },
): unknown[] {
  scope.steps.take();
  scope.values[slot] = item;
  const values = [item];
  for (const node of nodes) {
    const value = node(scope);
    values.push(value);
    // A filter that does not hold, or a fault, makes the expressions behind it needless.
    if (value === false || value instanceof Fault) break;
  }
  return values;
}

/** The items of a list, or the keys of a map. */
function itemsOf(value: unknown, start: number, steps: Steps): readonly unknown[] | Fault {
  if (value instanceof Fault || Array.isArray(value)) return value;
  if (isMap(value)) return keysOf(value, steps);
  return new Fault("type", "only lists and maps can be walked", start);
}
