/** Origins of settings as people read them. */

import type { SettingOrigin } from "./config.ts";

/** An origin as people read it. */
export function formatOrigin(origin: SettingOrigin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "file":
      return origin.where;
    case "environment":
    case "flag":
      return origin.name;
  }
}
