/** Traces as files, for tests of the commands that read files. */

/** An OTLP request: an order list whose customers are loaded one by one or at once. */
export function orderTrace(length: number, how: "one-by-one" | "batched"): string {
  const spans: unknown[] = [];
  const add = (parent: number, name: string, attributes: Record<string, string>): number => {
    const number = spans.length + 1;
    spans.push({
      traceId: (how === "batched" ? "b" : "a").repeat(32),
      spanId: number.toString(16).padStart(16, "0"),
      parentSpanId: parent === 0 ? "" : parent.toString(16).padStart(16, "0"),
      name,
      kind: parent === 0 ? 2 : "db.query.text" in attributes ? 3 : 1,
      startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(number) * 1_000_000n),
      endTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(number) * 1_000_000n + 900_000n),
      attributes: Object.entries(attributes).map(([key, value]) => ({
        key,
        value: { stringValue: value },
      })),
    });
    return number;
  };
  const operation = { "graphql.operation.type": "query", "graphql.operation.name": "Orders" };
  const query = add(add(0, "POST /graphql", {}), "query Orders", operation);
  const orders = add(query, "graphql.resolve orders", { "graphql.field.path": "orders" });
  add(orders, "pg.query", { "db.system": "postgresql", "db.query.text": "SELECT id FROM orders" });
  for (let index = 0; index < length; index += 1) {
    const path = `orders.${index}.customer`;
    const item = add(orders, path, { "graphql.field.path": path });
    const statement =
      how === "batched"
        ? "SELECT * FROM customers WHERE id = ANY($1)"
        : "SELECT * FROM customers WHERE id = $1";
    if (how === "one-by-one" || index === 0) {
      add(item, "pg.query", { "db.system": "postgresql", "db.query.text": statement });
    }
  }
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}
