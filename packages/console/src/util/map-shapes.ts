/** What the boundary map is made of: boxes, the lines between them, their labels. */

import type { BoundaryEdge } from "@faultline/protocol";

export type PartyKind = "service" | "database" | "model" | "tool";
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Party {
  readonly name: string;
  readonly kind: PartyKind;
  readonly callCount: number;
  /** The upper left corner of its box. */
  readonly at: Point;
  readonly width: number;
}
export interface MapEdge {
  readonly edge: BoundaryEdge;
  /** The `d` of an SVG path that ends where the head of the arrow begins. */
  readonly path: string;
  /** The head's tip, and whether it points right, left or down. */
  readonly tip: Point;
  readonly heading: "right" | "left";
  /** Where its label stands: centred on the point, or beginning there. */
  readonly label: Point & { readonly anchor: "centre" | "start" };
}
export interface MapLayout {
  readonly width: number;
  readonly height: number;
  readonly parties: readonly Party[];
  readonly edges: readonly MapEdge[];
}
/** Places and paths alone; what the parties are is added by `layoutMap`. */
export interface Placing {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Point & { readonly width: number }>;
  readonly edges: readonly MapEdge[];
}

export const boxHeight = 56;
/** The length of an arrow's head, by which the line falls short of the box. */
export const headLength = 9;
