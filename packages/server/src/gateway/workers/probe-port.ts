/** Finds out whether a port can be had, before processes share it. */

import { once } from "node:events";
import { createServer } from "node:net";

import { PlatformError } from "@faultline/protocol";

/** Binds the port once, alone: with `reusePort` two installations would share it silently. Gives the port. */
export async function probePort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new PlatformError("port_taken", `Another process listens on port ${port} of ${host}.`, {
        hint: "Stop it, or choose another port with --port.",
        cause: error,
      });
    }
    throw error;
  }
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : port;
}
