/** What a route of the control API is. */

import type { TSchema } from "typebox";

import type { Permission } from "./roles.ts";

/** What a route answers with when it succeeds. */
export type RouteReply =
  | { readonly kind: "json"; readonly status: 200 | 201; readonly schema: TSchema }
  | { readonly kind: "text"; readonly status: 200; readonly mediaTypes: readonly string[] }
  | { readonly kind: "bytes"; readonly status: 200; readonly mediaTypes: readonly string[] }
  /** Text that is sent while it is made; of any length, so that a failure ends the answer midway and never quietly. */
  | { readonly kind: "stream"; readonly status: 200; readonly mediaTypes: readonly string[] }
  | { readonly kind: "empty"; readonly status: 204 };

/** Who may call a route: anybody, anybody who is known, or a role with the permission. */
export type RouteAccess = "public" | "signed-in" | Permission;

export interface ApiRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** Parameters as `:name`. */
  readonly path: string;
  readonly access: RouteAccess;
  /** One sentence for the reference. */
  readonly summary: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly reply: RouteReply;
}

/** An answer of JSON. */
export function json<const Status extends 200 | 201, S extends TSchema>(status: Status, schema: S) {
  return { kind: "json", status, schema } as const;
}
