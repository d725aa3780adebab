/** The bounds of what one call may hold, each with its own error and setting. */

import { PlatformError } from "@faultline/protocol";

import type { GatewaySettings } from "../snapshot.ts";
import type { RequestFacts } from "./request-reader.ts";

type Counts = Pick<RequestFacts, "messageCount" | "toolCount" | "imageCount">;
type Bounds = Pick<GatewaySettings, "messageCountMax" | "toolCountMax" | "imageCountMax">;

/** Throws `messages_too_many`, `tools_too_many` or `images_too_many`. */
export function checkCounts(facts: Counts, bounds: Bounds): void {
  if (facts.messageCount > bounds.messageCountMax) {
    const words = refusalOf("messages", facts.messageCount, bounds.messageCountMax);
    throw new PlatformError("messages_too_many", words, hintOf("messageCountMax"));
  }
  if (facts.toolCount > bounds.toolCountMax) {
    const words = refusalOf("tools", facts.toolCount, bounds.toolCountMax);
    throw new PlatformError("tools_too_many", words, hintOf("toolCountMax"));
  }
  if (facts.imageCount > bounds.imageCountMax) {
    const words = refusalOf("images", facts.imageCount, bounds.imageCountMax);
    throw new PlatformError("images_too_many", words, hintOf("imageCountMax"));
  }
}

function refusalOf(what: string, count: number, countMax: number): string {
  return `The call has ${count} ${what}, and at most ${countMax} are allowed.`;
}

function hintOf(setting: string): { hint: string } {
  return { hint: `Send fewer; the operator sets the bound with gateway.${setting}.` };
}
