/** From a key as it was sent to the hash by which it is known. */

import { hash } from "node:crypto";

import { parseKey, PlatformError } from "@faultline/protocol";

/** SHA-256 of the whole key, in hexadecimal. Keys have 256 random bits, so nothing slower is needed. */
export function hashKey(key: string): string {
  return hash("sha256", key, "hex");
}

/** The hash of a key whose form and checksum are right. Throws `key_malformed`, which never quotes the key. */
export function readKey(text: string): string {
  const parsed = parseKey(text);
  switch (parsed.kind) {
    case "ok":
      return hashKey(text);
    case "malformed":
      throw new PlatformError("key_malformed", `This is no Faultline key: ${parsed.reason}.`, {
        hint: formHint,
      });
    case "checksum-mismatch":
      throw new PlatformError(
        "key_malformed",
        "The key is mistyped: its checksum does not fit its characters.",
        {
          hint: "Copy it again, whole. A key of this installation that is merely unknown would be called so.",
        },
      );
  }
}

const formHint =
  "A key looks like fl_<tenant>_<49 letters and digits>; `faultline key create` makes one.";
