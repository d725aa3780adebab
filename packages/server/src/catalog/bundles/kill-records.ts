/** Kill switches in PostgreSQL. */

import { type KillKind, type KillSwitch, PlatformError, type TenantId } from "@faultline/protocol";
import type { Selectable } from "kysely";

import type { Reader, Schema, Writer } from "#storage/index.ts";

import { bundleStoreLimits } from "./limits.ts";

type Row = Omit<Selectable<Schema["kill_switch"]>, "tenant_id">;

const columns = [
  "id",
  "kind",
  "name",
  "reason",
  "killed_at",
  "killed_by",
  "revived_at",
  "revived_by",
] as const;

/** What a kill switch is about. */
export interface KillSubject {
  readonly kind: KillKind;
  readonly name: string;
}

/** A kill switch that is about to be written. */
export interface NewKill extends KillSubject {
  readonly tenantId: TenantId;
  readonly id: string;
  readonly reason: string;
  readonly at: string;
  readonly actor: string;
}

/** Sets a kill switch, or finds the one that holds already. Throws `limit_exceeded`. */
export async function addKill(writer: Writer, kill: NewKill): Promise<KillSwitch> {
  const { tenantId, id, kind, name, reason, at, actor } = kill;
  await writer
    .insertInto("kill_switch")
    .values({
      tenant_id: tenantId,
      id,
      kind,
      name,
      reason,
      killed_at: at,
      killed_by: actor,
    })
    .onConflict((conflict) =>
      conflict.columns(["tenant_id", "kind", "name"]).where("revived_at", "is", null).doNothing(),
    )
    .execute();
  const { count } = await writer
    .selectFrom("kill_switch")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("revived_at", "is", null)
    .executeTakeFirstOrThrow();
  if (Number(count) > bundleStoreLimits.killSwitchCountMax) {
    throw new PlatformError(
      "limit_exceeded",
      `A tenant has at most ${bundleStoreLimits.killSwitchCountMax} kill switches that hold.`,
      { hint: "Kill the provider, or the tenant, instead of each model." },
    );
  }
  const row = await writer
    .selectFrom("kill_switch")
    .select(columns)
    .where("kind", "=", kind)
    .where("name", "=", name)
    .where("revived_at", "is", null)
    .executeTakeFirstOrThrow();
  return killOf(row);
}

/** Ends a kill switch. Throws `not_found` when none holds. */
export async function endKill(
  writer: Writer,
  { kind, name }: KillSubject,
  step: { readonly at: string; readonly actor: string },
): Promise<KillSwitch> {
  const row = await writer
    .updateTable("kill_switch")
    .set({ revived_at: step.at, revived_by: step.actor })
    .where("kind", "=", kind)
    .where("name", "=", name)
    .where("revived_at", "is", null)
    .returning(columns)
    .executeTakeFirst();
  if (row !== undefined) return killOf(row);
  throw new PlatformError("not_found", `The ${kind} ${name} is not killed.`, {
    hint: "`faultline bundle kill` lists what is.",
  });
}

/** Those that hold first, then the others; newest first. */
export async function listKills(reader: Pick<Reader, "selectFrom">): Promise<KillSwitch[]> {
  const rows = await reader
    .selectFrom("kill_switch")
    .select(columns)
    .orderBy("revived_at", (order) => order.desc().nullsFirst())
    .orderBy("killed_at", "desc")
    .limit(bundleStoreLimits.shownKillSwitchCountMax)
    .execute();
  return rows.map((row) => killOf(row));
}

function killOf(row: Row): KillSwitch {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    reason: row.reason,
    killedAt: row.killed_at.toISOString(),
    killedBy: row.killed_by,
    ...(row.revived_at === null ? {} : { revivedAt: row.revived_at.toISOString() }),
    ...(row.revived_by === null ? {} : { revivedBy: row.revived_by }),
  };
}
