/** Objects that were read from text for people: their mark, their events, the short forms of kubectl. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { textMarkField } from "./limits.ts";
import { kindOf } from "./kinds.ts";

/** What a line of event text says. */
export interface EventText {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** As printed, for example `100s (x2 over 6m45s)`. */
  readonly age: string;
}

/** An Event object from a line of text about an object. */
export function textEvent(
  about: { readonly kind: string; readonly name: string; readonly namespace: string },
  { type, reason, message, age }: EventText,
): KubernetesObject {
  const kind = kindOf(about.kind);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${about.name}.${reason}.text`, namespace: about.namespace },
    involvedObject: { kind, name: about.name, namespace: about.namespace },
    type,
    reason,
    message,
    age,
    ...mark("kubectl events", ["lastTimestamp"]),
  };
}

/** The mark of an object that was read from text. */
export function mark(readFrom: string, unknown: readonly string[]): Record<string, unknown> {
  return { [textMarkField]: { readFrom, unknown } };
}

/** Labels from `key=value` texts; `<none>` and empty texts say that there are none. */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  const labels = new Map<string, string>();
  for (const text of texts) {
    const trimmed = text.trim();
    if (trimmed === "" || trimmed === "<none>") continue;
    const at = trimmed.indexOf("=");
    if (at < 0) labels.set(trimmed, "");
    else labels.set(trimmed.slice(0, at), trimmed.slice(at + 1));
  }
  return Object.fromEntries(labels);
}

const accessModes: Readonly<Record<string, string>> = {
  RWO: "ReadWriteOnce",
  ROX: "ReadOnlyMany",
  RWX: "ReadWriteMany",
  RWOP: "ReadWriteOncePod",
};

/** The long name of an access mode. */
export function longAccessMode(text: string): string {
  return accessModes[text.trim()] ?? text.trim();
}
