/** The GraphQL schema of the order service, once with the fault and once without it. */

import type DataLoader from "dataloader";
import type { Pool } from "pg";

import type { Variant } from "./options.ts";

export const typeDefinitions = /* GraphQL */ `
  type Query {
    "The newest orders, at most 200."
    orders(first: Int!): [Order!]!
    "How many orders there are."
    orderCount: Int!
  }

  type Order {
    id: ID!
    placedOn: String!
    totalCents: Int!
    customer: Customer!
  }

  type Customer {
    id: ID!
    name: String!
    city: String!
  }
`;

interface OrderRow {
  readonly id: number;
  readonly customer_id: number;
  readonly placedOn: string;
  readonly totalCents: number;
}

interface CustomerRow {
  readonly id: number;
  readonly name: string;
  readonly city: string;
}

export interface RequestContext {
  readonly pool: Pool;
  readonly customers: DataLoader<number, CustomerRow>;
}

const orderCountMax = 200;

/** The resolvers of one variant. They differ in one line: how an order finds its customer. */
export function resolversOf(variant: Variant) {
  return {
    Query: {
      async orders(_: unknown, { first }: { first: number }, { pool }: RequestContext) {
        const { rows } = await pool.query<OrderRow>(
          `SELECT id, customer_id, placed_on::text AS "placedOn", total_cents AS "totalCents"
             FROM orders ORDER BY placed_on DESC, id DESC LIMIT $1`,
          [Math.max(0, Math.min(first, orderCountMax))],
        );
        return rows;
      },
      async orderCount(_: unknown, __: unknown, { pool }: RequestContext) {
        const { rows } = await pool.query<{ count: number }>(
          "SELECT count(*)::integer AS count FROM orders",
        );
        return rows[0]?.count ?? 0;
      },
    },
    Order: {
      customer: (order: OrderRow, _: unknown, context: RequestContext) =>
        variant === "broken"
          ? loadCustomer(context.pool, order.customer_id)
          : context.customers.load(order.customer_id),
    },
  };
}

/** The fault: one statement for each order of a list. */
async function loadCustomer(pool: Pool, id: number): Promise<CustomerRow | undefined> {
  const { rows } = await pool.query<CustomerRow>(
    "SELECT id, name, city FROM customers WHERE id = $1",
    [id],
  );
  return rows[0];
}

/** The repair: one statement for all customers of a request, given in the order asked for. */
export async function loadCustomers(
  pool: Pool,
  ids: readonly number[],
): Promise<(CustomerRow | Error)[]> {
  const { rows } = await pool.query<CustomerRow>(
    "SELECT id, name, city FROM customers WHERE id = ANY($1::integer[])",
    [ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? new Error(`There is no customer ${id}.`));
}
