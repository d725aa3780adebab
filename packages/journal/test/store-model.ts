/** What the store must do, on a plain map: keys are hexadecimal texts, which sort as their bytes do. */

import { type ScanOptions, type StoreEntry } from "../src/store/reader.ts";
import type { StoreWrite } from "../src/store/write.ts";

interface ModelValue {
  readonly value: string;
  readonly expiresAtMs: number;
}

export type ModelState = Map<string, ModelValue>;

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function applyToModel(state: ModelState, writes: readonly StoreWrite[]): void {
  for (const write of writes) {
    if (write.kind === "delete") {
      state.delete(hex(write.key));
    } else {
      const { value, expiresAtMs = Infinity } = write;
      state.set(hex(write.key), { value: hex(value), expiresAtMs });
    }
  }
}

export function modelGet(state: ModelState, key: string, nowMs: number): string | undefined {
  const found = state.get(key);
  return found !== undefined && found.expiresAtMs > nowMs ? found.value : undefined;
}

/** Entries as `key=value@expiry`, so that a difference can be read. */
export function modelScan(state: ModelState, options: ScanOptions, nowMs: number): string[] {
  return [...state]
    .filter(([key, { expiresAtMs }]) => expiresAtMs > nowMs && isInScan(key, options))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, options.limit ?? Infinity)
    .map(([key, { value, expiresAtMs }]) => `${key}=${value}@${expiresAtMs}`);
}

export function isInScan(key: string, { prefix, from, to }: ScanOptions): boolean {
  return (
    (prefix === undefined || key.startsWith(hex(prefix))) &&
    (from === undefined || key >= hex(from)) &&
    (to === undefined || key < hex(to))
  );
}

export function entryText({ key, value, expiresAtMs = Infinity }: StoreEntry): string {
  return `${hex(key)}=${hex(value)}@${expiresAtMs}`;
}
