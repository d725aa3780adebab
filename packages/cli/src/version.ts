/** The version of this installation. */

import manifest from "../package.json" with { type: "json" };

/** The version as `package.json` states it. */
export function version(): string {
  return manifest.version;
}
