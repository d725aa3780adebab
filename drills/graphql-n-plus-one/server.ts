/** The order service: GraphQL Yoga over the reference executor, on a port of the loopback interface. */

import type Http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

import DataLoader from "dataloader";
import type * as GraphQL from "graphql";
import type * as Yoga from "graphql-yoga";
import type { Pool } from "pg";

import type { Variant } from "./options.ts";
import { loadCustomers, type RequestContext, resolversOf, typeDefinitions } from "./schema.ts";
import type { DrillTelemetry } from "./telemetry.ts";

export interface OrderServer extends AsyncDisposable {
  readonly url: string;
}

const route = "/graphql";

/** Opens the server. Its libraries are loaded here, through `require`, after the instrumentations are in place. */
export async function openServer(options: {
  readonly variant: Variant;
  readonly pool: Pool;
  readonly telemetry: DrillTelemetry;
}): Promise<OrderServer> {
  const require = createRequire(import.meta.url);
  // `require` is untyped; each annotation names the package that is loaded.
  const http: typeof Http = require("node:http");
  const graphql: typeof GraphQL = require("graphql");
  const { createSchema, createYoga }: typeof Yoga = require("graphql-yoga");
  // Yoga brings an executor of its own; the instrumentation knows the reference implementation.
  const referenceImplementation: Yoga.Plugin<RequestContext> = {
    onParse: ({ setParseFn }) => setParseFn(graphql.parse),
    onValidate: ({ setValidationFn }) => setValidationFn(graphql.validate),
    onExecute: ({ setExecuteFn }) => setExecuteFn(graphql.execute),
  };

  const yoga = createYoga<object, RequestContext>({
    schema: createSchema({
      typeDefs: typeDefinitions,
      resolvers: resolversOf(options.variant),
    }),
    graphqlEndpoint: route,
    graphiql: false,
    logging: false,
    context: () => ({
      pool: options.pool,
      customers: new DataLoader((ids: readonly number[]) => loadCustomers(options.pool, ids)),
    }),
    plugins: [referenceImplementation],
  });
  const server = http.createServer((request, response) => {
    options.telemetry.nameRoute(route);
    void yoga(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A TCP server that listens has an address object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${route}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
    },
  };
}
