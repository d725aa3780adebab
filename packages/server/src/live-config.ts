/** The configuration of a running platform: read again when it is asked to or its file changes, and taken over whole or not at all. */

import { watch } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import { type Catalog, loadCatalog } from "#catalog/index.ts";
import type { Config } from "#config/index.ts";
import { type Clock, isAbort } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";
import type { Logger } from "pino";

/** Editors write a file in several steps. */
const debounceMs = 200;

/** What a process takes over only when it starts. */
const startSettings = [
  "dataFolder",
  "host",
  "port",
  "publicUrl",
  "workerCount",
  "databaseUrl",
  "log",
  "store",
  "otlp",
] as const satisfies readonly (keyof Config)[];

export interface LiveConfigParts {
  /** Reads all sources again. Throws `configuration_invalid`. */
  readonly load: (() => Config) | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

export class LiveConfig {
  readonly #parts: LiveConfigParts;
  #config: Config;
  #catalog: Catalog;
  #onTaken: (config: Config) => Promise<void> = async () => {};
  /** The end of the reload under way: the next one begins after it. */
  #latest: Promise<void> = Promise.resolve();

  constructor(config: Config, parts: LiveConfigParts) {
    this.#parts = parts;
    this.#config = config;
    this.#catalog = loadCatalog(config.providers);
  }

  get config(): Config {
    return this.#config;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** Reads the sources again now and whenever the file changes; `taken` spreads what is new. */
  follow(taken: (config: Config) => Promise<void>): void {
    this.#onTaken = taken;
    const { file } = this.#config;
    const { load, signal, logger } = this.#parts;
    if (file === undefined || load === undefined || signal.aborted) return;
    try {
      this.#watch(file);
    } catch (error) {
      // A system may have no watches left; the signal still works.
      logger.warn({ err: error }, "the configuration file cannot be watched");
    }
  }

  #watch(file: string): void {
    const { signal, logger } = this.#parts;
    const name = path.basename(file);
    let debounce = new AbortController();
    // The folder is watched, because many replace the file rather than write into it.
    const watcher = watch(path.dirname(file), { persistent: false }, (_event, changed) => {
      if (changed !== null && changed !== name && changed !== mountedData) return;
      debounce.abort(new DOMException("It changed again.", "AbortError"));
      debounce = new AbortController();
      void this.#reloadLater(AbortSignal.any([debounce.signal, signal]));
    });
    watcher.on("error", (error) => {
      logger.warn({ err: error }, "the configuration file is not watched any more");
    });
    signal.addEventListener("abort", () => watcher.close(), { once: true });
  }

  /** Reads the sources again. What is broken is refused with a warning, and the configuration stays as it was. */
  async reload(): Promise<void> {
    this.#latest = this.#latest.then(async () => await this.#reload());
    await this.#latest;
  }

  async #reloadLater(signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.clock.sleep(debounceMs, signal);
    } catch (error) {
      if (isAbort(error)) return;
      throw error;
    }
    await this.reload();
  }

  async #reload(): Promise<void> {
    const { load, logger } = this.#parts;
    if (load === undefined) return;
    const before = this.#config;
    try {
      const next = load();
      const catalog = loadCatalog(next.providers);
      if (isDeepStrictEqual(next, before)) return;
      this.#config = next;
      this.#catalog = catalog;
      await this.#onTaken(next);
    } catch (error) {
      this.#config = before;
      this.#catalog = loadCatalog(before.providers);
      const reason = error instanceof PlatformError ? error.message : String(error);
      logger.warn({ reason }, "the changed configuration is not taken over");
      return;
    }
    const waiting = startSettings.filter(
      (name) => !isDeepStrictEqual(before[name], this.#config[name]),
    );
    logger.info({ file: this.#config.file }, "the configuration was taken over");
    if (waiting.length > 0) {
      logger.warn({ settings: waiting }, "these settings count only after a restart");
    }
  }
}

/** What Kubernetes replaces when a mounted ConfigMap changes. */
const mountedData = "..data";
