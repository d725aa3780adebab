/** The order service's own PostgreSQL: started by the platform's supervisor, filled once, seen across a distance. */

import { createRequire } from "node:module";
import { join } from "node:path";

import type Postgres from "pg";
import type { Pool, PoolConfig } from "pg";

import { openRelay } from "./distance.ts";

export interface OrderDatabase extends AsyncDisposable {
  readonly pool: Pool;
}

const customerCount = 60;
const orderCount = 400;
const connectionCountMax = 4;

const seed = `
  CREATE TABLE IF NOT EXISTS customers (
    id integer PRIMARY KEY,
    name text NOT NULL,
    city text NOT NULL
  );
  CREATE TABLE IF NOT EXISTS orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL,
    placed_on date NOT NULL,
    total_cents integer NOT NULL
  );
  INSERT INTO customers
    SELECT n, 'Customer ' || n, (ARRAY['Oslo', 'Lagos', 'Lima', 'Kyoto', 'Turin'])[1 + n % 5]
      FROM generate_series(1, ${customerCount}) AS n
    ON CONFLICT DO NOTHING;
  INSERT INTO orders
    SELECT n, 1 + (n * 7) % ${customerCount}, DATE '2026-01-01' + (n % 300), 500 + (n * 37) % 20000
      FROM generate_series(1, ${orderCount}) AS n
    ON CONFLICT DO NOTHING;
  ANALYZE customers;
  ANALYZE orders;
`;

/** Fills the database and opens a pool that reaches it `distanceMs` away. */
export async function openOrders(
  server: PoolConfig,
  options: { readonly distanceMs: number; readonly customersMissing: boolean },
): Promise<OrderDatabase> {
  // Loaded through `require`, after the instrumentation is in place.
  const pg: typeof Postgres = createRequire(import.meta.url)("pg");
  await using stack = new AsyncDisposableStack();

  const client = new pg.Client(server);
  await client.connect();
  try {
    await client.query(seed);
    if (options.customersMissing) await client.query("DROP TABLE customers");
  } finally {
    await client.end();
  }

  const socket = join(server.host ?? "", `.s.PGSQL.${server.port ?? 5432}`);
  const relay = stack.use(await openRelay({ path: socket }, options.distanceMs));
  const pool = new pg.Pool({
    ...server,
    host: "127.0.0.1",
    port: relay.port,
    max: connectionCountMax,
    // The pool's connections live as long as the drill: connecting is not what it shows.
    idleTimeoutMillis: 0,
  });
  pool.on("error", () => undefined);
  stack.defer(() => pool.end());
  await Promise.all(Array.from({ length: connectionCountMax }, () => pool.query("SELECT 1")));

  const opened = stack.move();
  return { pool, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
