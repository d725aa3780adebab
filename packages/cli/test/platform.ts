/** Drives the CLI as a user does: real processes, a fresh data folder, a free port. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { TraceList } from "@faultline/protocol";
import { freePort } from "@faultline/testkit";
import { Value } from "typebox/value";

export const faultline = fileURLToPath(new URL("../bin/faultline.js", import.meta.url));

export interface Call {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end. */
export async function call(
  words: readonly string[],
  options: { folder: string; environment?: Record<string, string>; input?: string | Uint8Array },
): Promise<Call> {
  const child = spawn(process.execPath, [faultline, ...words], {
    cwd: options.folder,
    env: cleanEnvironment(options.environment),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: stdout(), stderr: stderr() };
}

export interface RunningPlatform extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly key: string;
  readonly child: ChildProcess;
  /** All that `up` has printed so far. */
  output(): string;
  /** Runs one command against this platform. */
  call(...words: string[]): Promise<Call>;
}

export interface StartOptions {
  /** Default: a fresh one, which disposal removes. */
  readonly folder?: string;
  /** What a user types, to which the port is added; default: the CLI of this repository, as a process of its own. */
  readonly command?: readonly [string, ...string[]];
}

/** Starts `faultline up` and resolves when it says what to do next. */
export async function startPlatform(given: StartOptions = {}): Promise<RunningPlatform> {
  const folder = given.folder ?? (await mkdtemp(join(tmpdir(), "faultline-cli-")));
  const port = await freePort();
  const [program, ...words] = given.command ?? [process.execPath, faultline, "up"];
  const child = spawn(program, [...words, "--port", String(port)], {
    cwd: folder,
    env: given.command === undefined ? cleanEnvironment() : userEnvironment(),
    // A group of its own, which gets the signal whole, as that of a terminal does.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const output = (): string => stdout() + stderr();
  const url = `http://127.0.0.1:${port}`;
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", () => {
      if (stdout().includes("OTEL_EXPORTER_OTLP_ENDPOINT")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`up ended with ${code}:\n${output()}`)));
  });
  const key = /fl_default_[0-9A-Za-z]{49}/.exec(stdout())?.[0] ?? "";
  return {
    folder,
    url,
    key,
    child,
    output,
    call: (...words) =>
      call(words, { folder, environment: { FAULTLINE_URL: url, FAULTLINE_KEY: key } }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        process.kill(-(child.pid ?? 0), "SIGTERM");
        // Not its exit: what it started must have let go of the output too.
        await once(child, "close");
      }
      if (given.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the platform holds so many traces of the drill's service that started at or after a moment. */
export async function untilTraces(
  platform: RunningPlatform,
  { from, count }: { readonly from: string; readonly count: number },
): Promise<void> {
  for (;;) {
    const query = new URLSearchParams({ service: "orders", from, limit: "200" });
    const response = await fetch(`${platform.url}/api/traces?${query}`, {
      headers: { authorization: `Bearer ${platform.key}` },
    });
    if (Value.Parse(TraceList, await response.json()).traces.length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** The environment of a user's shell: nothing of npm's, and the machine's own Node. */
export function userEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const environment = Object.fromEntries(
    Object.entries(cleanEnvironment(more)).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name)),
  );
  const path = (environment["PATH"] ?? "")
    .split(":")
    .filter((part) => !part.includes("node_modules"));
  return { ...environment, PATH: path.join(":") };
}

/** The environment without settings of the machine that would change what the test sees. */
function cleanEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(FAULTLINE_|DATABASE_URL$|OPENAI_|ANTHROPIC_|OTEL_|NODE_OPTIONS$|VITEST)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: "1", ...more };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: string[] = [];
  stream.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  return () => chunks.join("");
}
