import { describe, expect, it } from "vitest";

import type { Attributes } from "../model/span.ts";
import {
  get,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../traces/trace-builder.ts";
import { fanOutContracts } from "./contracts.ts";

/** What all contracts about fan-out say of these requests, without what holds. */
const complaints = (...trees: readonly SpanTree[]): unknown[] => {
  const snapshot = snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1)));
  return fanOutContracts
    .flatMap((contract) => contract.check(snapshot))
    .filter(({ verdict }) => verdict !== "holds")
    .map(({ contract, verdict, title }) => `${verdict} ${contract}: ${title}`);
};

const rpc = (method: string, service: string, children: readonly SpanTree[] = []): SpanTree => {
  const [name = "", verb = ""] = method.split("/");
  const attributes = { "rpc.system": "grpc", "rpc.service": name, "rpc.method": verb };
  return {
    name: method,
    kind: "client",
    attributes,
    children: [{ name: method, kind: "server", service, attributes, children }],
  };
};
const redis = (command: string): SpanTree =>
  sql(command, { name: command.split(" ", 1)[0] ?? "", attributes: { "db.system": "redis" } });

/** A shop in the manner of demonstrations: a checkout of a few items through many services. */
const checkout = (items: number): SpanTree =>
  request(
    "/api/checkout",
    [
      rpc("oteldemo.CheckoutService/PlaceOrder", "checkout", [
        rpc("oteldemo.CartService/GetCart", "cart", [redis("HGET user cart")]),
        ...times(items, () => rpc("oteldemo.ProductCatalogService/GetProduct", "catalog")),
        ...times(items, () => rpc("oteldemo.CurrencyService/Convert", "currency")),
        {
          ...get("http://shipping/get-quote", { attributes: { "http.request.method": "POST" } }),
          children: [request("/get-quote", [], "shipping")],
        },
        rpc("oteldemo.PaymentService/Charge", "payment"),
        rpc("oteldemo.CartService/EmptyCart", "cart", [
          redis("HMSET user cart"),
          redis("EXPIRE user 60"),
        ]),
        { name: "orders publish", kind: "producer", attributes: { "messaging.system": "kafka" } },
      ]),
    ],
    "frontend",
  );

/** A page of a classic web framework: session, user, a few lists, each by its own statement. */
const page = request("/books/", [
  sql(
    "SELECT session_key, data FROM django_session WHERE session_key = %s AND expires > %s LIMIT 21",
  ),
  sql("SELECT * FROM auth_user WHERE auth_user.id = %s LIMIT 21"),
  sql("SELECT count(*) FROM books_book"),
  sql("SELECT * FROM books_book ORDER BY title LIMIT 10", {
    attributes: { "db.response.returned_rows": 10 },
  }),
  sql("SELECT * FROM books_author WHERE id IN (%s, %s, %s, %s)", {
    attributes: { "db.response.returned_rows": 4 },
  }),
  { name: "render books/index.html", durationMicros: 40_000 },
]);

const write = request("/orders", [
  sql("BEGIN"),
  sql("SELECT * FROM stock WHERE sku = $1 FOR UPDATE"),
  sql("INSERT INTO orders (id, customer_id) VALUES ($1, $2)"),
  sql("INSERT INTO order_items VALUES ($1, $2), ($3, $4), ($5, $6)"),
  sql("UPDATE stock SET n = n - $1 WHERE sku = $2"),
  sql("COMMIT"),
]);

const gateway = request(
  "/home",
  ["user", "menu", "offers", "cart"].map((path, at) =>
    get(`http://${path}/api/${path}`, { at: 10 + at, durationMicros: 30_000 + at }),
  ),
  "gateway",
);

const genAi = (operation: string, more: Attributes = {}): Attributes => ({
  "gen_ai.operation.name": operation,
  "gen_ai.request.model": "m",
  ...more,
});
const agent = request("/chat", [
  {
    name: "invoke_agent helper",
    attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper" },
    children: times(6, (turn): SpanTree[] => [
      {
        name: "chat m",
        kind: "client",
        durationMicros: 1_500_000,
        attributes: genAi("chat", { "gen_ai.usage.input_tokens": 1_000 + 900 * turn }),
        children: [get("https://llm.example/v1/chat/completions", { durationMicros: 1_499_000 })],
      },
      {
        name: "execute_tool search",
        attributes: {
          "gen_ai.operation.name": "execute_tool",
          "gen_ai.tool.name": "search",
          "gen_ai.tool.call.arguments": JSON.stringify({ query: `question ${turn}` }),
        },
        children: [
          get(`http://search/find?q=question-${turn}`),
          sql("SELECT * FROM docs WHERE id = $1"),
        ],
      },
    ]).flat(),
  },
]);

const worker: SpanTree = {
  name: "orders process",
  kind: "consumer",
  service: "worker",
  attributes: { "messaging.system": "kafka", "messaging.destination.name": "orders" },
  children: [
    sql("SELECT * FROM orders WHERE id = $1"),
    get("http://mail/send", { attributes: { "http.request.method": "POST" } }),
    sql("UPDATE orders SET state = $1 WHERE id = $2"),
  ],
};

describe("the contracts about fan-out do not complain about", () => {
  const healthy: Readonly<Record<string, readonly SpanTree[]>> = {
    "a checkout of four items through many services": [checkout(4), checkout(1), checkout(2)],
    "a page of a web framework, again and again": times(30, () => page),
    "writes in a transaction": times(20, () => write),
    "requests that a gateway makes at once": times(20, () => gateway),
    "an agent that searches in turns": [agent, agent],
    "messages that are worked on one by one": times(40, () => worker),
    "requests that fail and are tried again": times(5, () =>
      request("/pay", [
        get("http://bank/charge", { status: "error", durationMicros: 600_000 }),
        get("http://bank/charge", { status: "error", durationMicros: 600_000 }),
        get("http://bank/charge", { durationMicros: 300_000 }),
      ]),
    ),
    "health checks and polling": times(10, () =>
      request("/health", [sql("SELECT 1"), redis("PING"), get("http://users/health")]),
    ),
    "reads of a cache that mostly hits": times(30, (index) =>
      request("/item", [
        redis("GET item:7"),
        ...(index === 0 ? [sql("SELECT * FROM items WHERE id = $1"), redis("SET item:7 x")] : []),
      ]),
    ),
  };
  for (const [name, trees] of Object.entries(healthy)) {
    it(name, () => expect(complaints(...trees)).toEqual([]));
  }
});
