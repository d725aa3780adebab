/** Reading at one version: the newest entry of a key in the overlays, newest first, else the one in the base. */

import type { Base } from "./base.ts";
import type { BinaryKey } from "./binary-key.ts";
import type { Overlay, OverlayCursor } from "./overlay.ts";

/** A moment of the store. What it names does not change for a reader at its version. */
export interface View {
  /** Newest first. */
  readonly overlays: readonly Overlay[];
  readonly base: Base;
  readonly version: number;
  /** The caller's clock; what expires at or before it is not there. */
  readonly nowMs: number;
}

/** A view that keeps what it reads until it is closed. */
export interface OpenView extends View {
  /** Which base it keeps. */
  readonly baseGeneration: number;
}

/** A value inside the store; its bytes are shared and must not leave it. */
export interface StoredValue {
  readonly value: Buffer;
  readonly expiresAtMs: number;
}

/** Keys from `from` on, and below `to` when it is given. */
export interface KeyRange {
  readonly from: BinaryKey;
  readonly to: BinaryKey | undefined;
}

/** What a key holds; `undefined` when it is not there, was deleted or has expired. */
export function readKey(view: View, key: BinaryKey): StoredValue | undefined {
  for (const overlay of view.overlays) {
    const id = overlay.find(key);
    const entry = id === undefined ? undefined : overlay.entryAt(id, view.version);
    if (entry === undefined) continue;
    return live(view, entry.value, entry.expiresAtMs);
  }
  const entry = view.base.find(key);
  return entry === undefined ? undefined : live(view, entry.value, entry.expiresAtMs);
}

/** The live entries of a range in the order of their keys. Reads on demand; the view must stay open meanwhile. */
export function* scanRange(
  view: View,
  range: KeyRange,
): Generator<StoredValue & { readonly key: BinaryKey }, void, void> {
  const overlays = view.overlays.map((overlay) => overlay.seek(range.from));
  const base = view.base.seek(range.from);
  for (;;) {
    const key = leastKeyOf(overlays, base.key);
    if (key === undefined || (range.to !== undefined && key >= range.to)) return;
    const found = entryAt(view, overlays, key);
    if (found !== "absent") {
      if (found !== undefined) yield { key, ...found };
    } else if (base.key === key) {
      const entry = base.entry;
      const value = entry && live(view, entry.value, entry.expiresAtMs);
      if (value !== undefined) yield { key, ...value };
    }
    for (const cursor of overlays) cursor.movePast(key);
    base.movePast(key);
  }
}

/** What the overlays say of a key: its value, `undefined` when it is gone, `absent` when they say nothing. */
function entryAt(
  view: View,
  overlays: readonly OverlayCursor[],
  key: BinaryKey,
): StoredValue | undefined | "absent" {
  for (const cursor of overlays) {
    if (cursor.key !== key) continue;
    const entry = cursor.entryAt(view.version);
    if (entry !== undefined) return live(view, entry.value, entry.expiresAtMs);
  }
  return "absent";
}

/** The least key that any of the cursors stands at. */
export function leastKeyOf(
  overlays: readonly OverlayCursor[],
  baseKey: BinaryKey | undefined,
): BinaryKey | undefined {
  let least = baseKey;
  for (const { key } of overlays) {
    if (key !== undefined && (least === undefined || key < least)) least = key;
  }
  return least;
}

function live(view: View, value: Buffer | undefined, expiresAtMs: number): StoredValue | undefined {
  if (value === undefined || expiresAtMs <= view.nowMs) return undefined;
  return { value, expiresAtMs };
}
