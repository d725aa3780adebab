/** The work that an expression may take at most, told before it runs: nesting times the sizes of collections. */

import type { ASTNode } from "@marcbachmann/cel-js";

/** Items that a collection of the evidence is taken to have. */
export const collectionSizeAssumed = 1_000;
/** Steps beyond which an expression is refused when it is loaded. Three nested walks over evidence are below it. */
export const expressionCostMax = 1e11;

/** An upper bound of the steps, where every collection of the evidence has `collectionSizeAssumed` items. */
export function costOf(node: ASTNode): number {
  return 1 + costOfParts(node);
}

function costOfParts(node: ASTNode): number {
  switch (node.op) {
    case "value":
    case "id":
      return 0;
    case ".":
    case ".?":
      return costOf(node.args[0]);
    case "!_":
    case "-_":
      return costOf(node.args);
    case "call":
      return sum(node.args[1]);
    case "rcall": {
      const [name, receiver, given] = node.args;
      const inner = sum(given);
      const turns = walks.has(name) && given.length >= 2 ? sizeOf(receiver) : 1;
      return costOf(receiver) + inner * turns;
    }
    case "list":
      return sum(node.args);
    case "map":
      return sum(node.args.flat());
    default:
      return sum(node.args);
  }
}

const walks: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "map", "filter"]);

function sum(nodes: readonly ASTNode[]): number {
  return nodes.reduce((total, node) => total + costOf(node), 0);
}

/** How many items a walk takes: a list that is written out has as many as stand there. */
function sizeOf(receiver: ASTNode): number {
  if (receiver.op === "list") return receiver.args.length;
  if (receiver.op !== "rcall") return collectionSizeAssumed;
  const [name, inner] = receiver.args;
  return name === "map" || name === "filter" ? sizeOf(inner) : collectionSizeAssumed;
}
