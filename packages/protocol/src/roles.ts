/** What a key may do. Roles are fixed sets of permissions; a route asks for one permission. */

import { Type } from "typebox";

export const permissions = [
  "model:call",
  "telemetry:write",
  "telemetry:read",
  "case:read",
  "case:write",
  "bundle:read",
  "bundle:write",
  "ledger:read",
  "ledger:write",
  "compute:read",
  "compute:write",
  "key:manage",
] as const;
export type Permission = (typeof permissions)[number];

export const rolePermissions = {
  /** Everything. */
  admin: permissions,
  /** A person who investigates. */
  engineer: [
    "model:call",
    "telemetry:read",
    "telemetry:write",
    "case:read",
    "case:write",
    "bundle:read",
    "bundle:write",
    "ledger:read",
    "compute:read",
    "compute:write",
  ],
  /** An application: calls models and sends telemetry, reads nothing back. */
  service: ["model:call", "telemetry:write"],
  /** A person or a dashboard that only looks. */
  viewer: ["telemetry:read", "case:read", "bundle:read", "ledger:read", "compute:read"],
} as const satisfies Record<string, readonly Permission[]>;

export type Role = keyof typeof rolePermissions;
export const Role = Type.Union([
  Type.Literal("admin"),
  Type.Literal("engineer"),
  Type.Literal("service"),
  Type.Literal("viewer"),
]);

/** Whether a role holds a permission. */
export function roleAllows(role: Role, permission: Permission): boolean {
  const held: readonly Permission[] = rolePermissions[role];
  return held.includes(permission);
}
