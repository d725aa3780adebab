/** One worker process as its supervisor sees it: start, messages, death. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { PlatformError } from "@faultline/protocol";

import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";

export interface WorkerEvents {
  readonly onMessage: (message: FromWorker) => void;
  readonly onExit: (reason: string) => void;
}

/**
 * The halves of a worker's young generation. V8 would let them grow to four times this under load and keep them: a
 * hundred megabytes more for each worker, and no processor time saved.
 */
const semiSpaceMegabytesMax = 16;

/** A worker has one core to itself: helpers of the collector would only take turns with it, and cost more than they do. */
const engineFlags = [
  `--max-semi-space-size=${semiSpaceMegabytesMax}`,
  "--no-parallel-scavenge",
] as const;

/** The entry beside this module: source in development, JavaScript in a packed installation. */
export function defaultWorkerEntry(): URL {
  const name = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  return new URL(name, import.meta.url);
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #exited = Promise.withResolvers<void>();
  readonly #listening = Promise.withResolvers<number>();
  hasExited = false;

  constructor(entry: URL, events: WorkerEvents) {
    this.#child = fork(fileURLToPath(entry), [], {
      serialization: "advanced",
      execArgv: [...engineFlags],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    // A worker that dies before anybody waits for it must not crash the supervisor.
    this.#listening.promise.catch(() => {});
    this.#child.on("message", (message) => this.#onMessage(message as FromWorker, events));
    this.#child.on("error", (error) => {
      // A process that could not be started has no exit; of one that runs, the exit is what counts.
      if (this.#child.pid === undefined) this.#onExit(error.message, events);
    });
    this.#child.on("exit", (code, signal) => {
      this.#onExit(signal === null ? `exit code ${code}` : `signal ${signal}`, events);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  /** Tells the worker what to do; resolves with its port when it listens. */
  async start(start: WorkerStart): Promise<number> {
    this.send({ kind: "start", start });
    return this.#listening.promise;
  }

  send(message: ToWorker): void {
    if (!this.#child.connected) return;
    this.#child.send(message, () => {
      // A message to a process that just died is lost with it.
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #onExit(reason: string, events: WorkerEvents): void {
    this.hasExited = true;
    this.#listening.reject(
      new PlatformError("internal", `A gateway worker died before it listened (${reason}).`),
    );
    this.#exited.resolve();
    events.onExit(reason);
  }

  #onMessage(message: FromWorker, events: WorkerEvents): void {
    if (message.kind === "listening") {
      this.#listening.resolve(message.port);
    } else if (message.kind === "start-failed") {
      this.#listening.reject(toStartError(message));
    } else {
      events.onMessage(message);
    }
  }
}

function toStartError(failure: { code: string; message: string }): PlatformError {
  return failure.code === "EADDRINUSE"
    ? new PlatformError("port_taken", "Another process listens on the port of the gateway.", {
        hint: "Stop it, or choose another port with --port.",
      })
    : new PlatformError("internal", `A gateway worker could not start: ${failure.message}`);
}
