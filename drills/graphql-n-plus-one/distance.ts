/**
 * A relay that holds every message to the database back for a moment, as the wire to another building does.
 * On one machine a statement costs next to nothing, and a fan-out would stay hidden.
 */

import { createConnection, createServer, type AddressInfo, type NetConnectOpts } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

export interface DatabaseRelay extends AsyncDisposable {
  readonly port: number;
}

/** Opens a port of the loopback interface that leads to `target`, `distanceMs` away in each direction of asking. */
export async function openRelay(
  target: NetConnectOpts,
  distanceMs: number,
): Promise<DatabaseRelay> {
  const closing = new AbortController();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = createConnection(target);
    const { signal } = closing;
    // A side that breaks ends the pair; the database client sees a lost connection, as it would on a wire.
    pipeline(client, delay(distanceMs), upstream, { signal }).catch(() => client.destroy());
    pipeline(upstream, client, { signal }).catch(() => upstream.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    // A TCP server that listens has an address object.
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function delay(distanceMs: number): (chunks: AsyncIterable<Buffer>) => AsyncIterable<Buffer> {
  return async function* held(chunks) {
    for await (const chunk of chunks) {
      await sleep(distanceMs);
      yield chunk;
    }
  };
}
