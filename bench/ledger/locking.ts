/** The usual way to hold and settle credit, for comparison: each step a transaction that locks the row of the account. */

import { withClient } from "@faultline/server/storage/client.ts";
import type { PostgresConnection } from "@faultline/server/storage/index.ts";

/** Connections that compete for the one row. */
const sessionCount = 16;

export interface LockingSession {
  /** Reserves an amount; gives the id of the hold. */
  hold(amountMicros: bigint): Promise<string>;
  settle(holdId: string, chargedMicros: bigint): Promise<void>;
}

export interface LockingLedger extends AsyncDisposable {
  /** Lets every connection work at once. */
  each(work: (session: LockingSession) => Promise<void>): Promise<void>;
  chargedCount(): Promise<number>;
}

type Session = Parameters<Parameters<typeof withClient>[1]>[0];

/** Makes the tables and connects. */
export async function openLockingLedger(
  postgres: PostgresConnection,
  signal: AbortSignal,
): Promise<LockingLedger> {
  const ended = Promise.withResolvers<void>();
  const options = { postgres, signal, role: "set-up" } as const;
  await withClient(options, (client) =>
    client.query(`
      create table locking_account (id int primary key, available bigint not null, held bigint not null);
      create table locking_hold (id bigint generated always as identity primary key, amount bigint not null,
        is_open boolean not null);
      create table locking_charge (hold_id bigint primary key, amount bigint not null);
      insert into locking_account values (1, 1000000000000, 0)`),
  );
  const opened = Array.from({ length: sessionCount }, () => Promise.withResolvers<Session>());
  const closed = opened.map(({ resolve }) =>
    withClient(options, async (client) => {
      resolve(client);
      await ended.promise;
    }),
  );
  const sessions = await Promise.all(opened.map(({ promise }) => promise));
  return {
    async each(work) {
      await Promise.all(sessions.map((client) => work(sessionOf(client))));
    },
    async chargedCount() {
      const result = await sessions[0]?.query("select count(*)::int as count from locking_charge");
      return result?.rows[0].count ?? 0;
    },
    async [Symbol.asyncDispose]() {
      ended.resolve();
      await Promise.all(closed);
    },
  };
}

function sessionOf(client: Session): LockingSession {
  return {
    async hold(amountMicros) {
      await client.query("begin");
      const { rows } = await client.query(
        "select available from locking_account where id = 1 for update",
      );
      if (BigInt(rows[0].available) < amountMicros) throw new Error("There is no credit left.");
      await client.query(
        "update locking_account set available = available - $1, held = held + $1 where id = 1",
        [amountMicros],
      );
      const hold = await client.query(
        "insert into locking_hold (amount, is_open) values ($1, true) returning id",
        [amountMicros],
      );
      await client.query("commit");
      return hold.rows[0].id;
    },
    async settle(holdId, chargedMicros) {
      await client.query("begin");
      const { rows } = await client.query(
        "select amount from locking_hold where id = $1 and is_open for update",
        [holdId],
      );
      await client.query(
        "update locking_account set available = available + $1 - $2, held = held - $1 where id = 1",
        [rows[0].amount, chargedMicros],
      );
      await client.query("update locking_hold set is_open = false where id = $1", [holdId]);
      await client.query("insert into locking_charge values ($1, $2)", [holdId, chargedMicros]);
      await client.query("commit");
    },
  };
}
