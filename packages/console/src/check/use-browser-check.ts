/** The state of a check in the browser, and what a person can do with it. */

import type { CheckReport } from "@faultline/contracts";
import { useEffect, useRef, useState } from "react";

import type { FromWorker, ToWorker } from "./check-messages.ts";
import type { Given } from "./given-files.ts";

export type BrowserCheckState =
  | { readonly kind: "idle"; readonly wasCancelled: boolean }
  | {
      readonly kind: "running";
      readonly fileCount: number;
      readonly totalBytes: number;
      /** The last word of the worker; absent until there is one. */
      readonly step: Extract<FromWorker, { kind: "reading" | "judging" }> | undefined;
    }
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "checked";
      readonly report: CheckReport;
      readonly evidenceWords: string;
      readonly fileCount: number;
      readonly totalBytes: number;
    };

export interface BrowserCheck {
  readonly state: BrowserCheckState;
  /** Checks what was given; what is looked for still is cancelled with the rest. */
  start(given: Promise<Given> | Given): void;
  cancel(): void;
  download(what: "report" | "snapshot"): void;
}

export function useBrowserCheck(): BrowserCheck {
  const [state, setState] = useState<BrowserCheckState>({ kind: "idle", wasCancelled: false });
  const run = useRef<CheckRun | undefined>(undefined);
  useEffect(() => () => run.current?.end(), []);
  return {
    state,
    start(given) {
      run.current?.end();
      run.current = new CheckRun(given, setState);
    },
    cancel() {
      run.current?.end();
      run.current = undefined;
      setState({ kind: "idle", wasCancelled: true });
    },
    download(what) {
      run.current?.ask({ kind: what === "report" ? "write-report" : "write-snapshot" });
    },
  };
}

/** One check: a worker from its files to the end of its last download. */
class CheckRun {
  readonly #worker = new Worker(new URL("./check-worker.ts", import.meta.url), {
    type: "module",
    name: "faultline-check",
  });
  readonly #show: (state: BrowserCheckState) => void;
  #files = { fileCount: 0, totalBytes: 0 };
  #isOver = false;

  constructor(given: Promise<Given> | Given, show: (state: BrowserCheckState) => void) {
    this.#show = show;
    show({ kind: "running", ...this.#files, step: undefined });
    this.#worker.addEventListener("message", (event: MessageEvent<FromWorker>) =>
      this.#hear(event.data),
    );
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#fail(event.message || "The browser ended the check, most likely for want of memory.");
    });
    Promise.resolve(given).then(
      (found) => this.#check(found),
      (error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)),
    );
  }

  ask(message: ToWorker): void {
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  /** Stops whatever is under way, at once, also in the middle of a computation. */
  end(): void {
    this.#isOver = true;
    this.#worker.terminate();
  }

  #check({ files, unlooked }: Given): void {
    if (this.#isOver) return;
    const totalBytes = files.reduce((sum, { file }) => sum + file.size, 0);
    this.#files = { fileCount: files.length, totalBytes };
    this.#show({ kind: "running", ...this.#files, step: undefined });
    this.ask({ kind: "check", files, unlooked });
  }

  #hear(message: FromWorker): void {
    if (this.#isOver) return;
    switch (message.kind) {
      case "reading":
      case "judging":
        this.#show({ kind: "running", ...this.#files, step: message });
        break;
      case "checked":
        this.#show({ ...message, ...this.#files });
        break;
      case "written":
        save(message.blob, message.fileName);
        break;
      case "failed":
        this.#fail(message.message);
        break;
    }
  }

  #fail(message: string): void {
    if (this.#isOver) return;
    this.end();
    this.#show({ kind: "failed", message });
  }
}

function save(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The browser has taken hold of the blob when the click returns.
  URL.revokeObjectURL(url);
}
