/** Finds out whether the port is free, before anything is started. */

import { createServer } from "node:net";

import type { Clock } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

/**
 * Binds the port once, alone: the workers bind it with `reusePort`, which would share it silently with another process.
 * Throws `port_taken`, or `configuration_invalid` when the address is none of this machine.
 */
export async function probePort(host: string, port: number): Promise<void> {
  const server = createServer();
  const outcome = Promise.withResolvers<void>();
  server.once("error", outcome.reject);
  server.listen({ host, port, exclusive: true }, () => server.close(() => outcome.resolve()));
  try {
    await outcome.promise;
  } catch (error) {
    throw refusal(error, host, port);
  }
}

/** How long the gateway processes of a platform that was killed may take to notice it. */
const leaveMsMax = 3_000;
const leavePollMs = 50;

export interface FreePortWait {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when the port is free. Gives a predecessor that is just ending a moment, then throws as `probePort` does. */
export async function awaitFreePort({ host, port, clock, signal }: FreePortWait): Promise<void> {
  const deadlineMs = clock.monotonicMs() + leaveMsMax;
  for (;;) {
    try {
      await probePort(host, port);
      return;
    } catch (error) {
      const isTaken = error instanceof PlatformError && error.code === "port_taken";
      if (!isTaken || clock.monotonicMs() >= deadlineMs) throw error;
    }
    await clock.sleep(leavePollMs, signal);
  }
}

function refusal(error: unknown, host: string, port: number): PlatformError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new PlatformError("port_taken", `Another process listens on port ${port} of ${host}.`, {
      where: `${host}:${port}`,
      hint: `Stop it, or choose another port: --port ${port === 65_535 ? port - 1 : port + 1}, FAULTLINE_PORT, or \`port:\` in faultline.yaml.`,
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new PlatformError(
    "configuration_invalid",
    `Nothing can listen on ${host}:${port}: ${reason}.`,
    {
      where: `${host}:${port}`,
      hint: "`--host` takes an address of this machine; ports below 1024 need a privilege.",
      cause: error,
    },
  );
}
