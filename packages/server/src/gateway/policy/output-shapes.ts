/** The shape of output for each surface that says something. */

import type { SurfaceName } from "#config/index.ts";

import { ChatOutput } from "./chat-output.ts";
import { MessagesOutput } from "./messages-output.ts";
import type { OutputShape } from "./output-shape.ts";
import { ResponsesOutput } from "./responses-output.ts";

/** A shape for one reply; `undefined` where nothing is said. */
export function outputShapeOf(surface: SurfaceName): OutputShape | undefined {
  switch (surface) {
    case "chat":
    case "completions":
      return new ChatOutput();
    case "responses":
      return new ResponsesOutput();
    case "messages":
      return new MessagesOutput();
    case "embeddings":
    case "count-tokens":
      return undefined;
  }
}
