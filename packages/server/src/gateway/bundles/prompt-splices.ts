/** The system prompt and the tools of a bundle as splices into a request. */

import type { SurfaceName } from "#config/index.ts";
import { parseForeignJson } from "@faultline/contracts/json";
import { type BundleTool, PlatformError } from "@faultline/protocol";

import type { Place, RequestFacts } from "../calls/request-reader.ts";
import type { Splice } from "../wire/splice.ts";
import { rootInsertion } from "./parameter-splices.ts";

/** Between the bundle's prompt and the caller's own. */
const promptSeparator = "\n\n";

/** Puts the prompt in front of what the caller says. Throws `request_invalid` where the format has no place for it. */
export function promptSplice(
  surface: SurfaceName,
  prompt: string,
  places: RequestFacts["places"],
): Splice | undefined {
  switch (surface) {
    case "chat":
      return messageSplice(prompt, places.messages);
    case "messages":
    case "count-tokens":
      return systemSplice("system", prompt, places);
    case "responses":
      return systemSplice("instructions", prompt, places);
    case "embeddings":
      return undefined;
    case "completions":
      throw new PlatformError(
        "request_invalid",
        "The bundle has a system prompt, and completions have no place for one.",
        { where: "/model", hint: "Ask by /v1/chat/completions." },
      );
  }
}

/** A first message; a list that is none is left for the provider to refuse. */
function messageSplice(prompt: string, messages: Place | undefined): Splice | undefined {
  if (messages?.kind !== "array") return undefined;
  const at = messages.start + 1;
  const message = JSON.stringify({ role: "system", content: prompt });
  return { start: at, end: at, text: `${message}${messages.filled ? "," : ""}` };
}

/** A field of the request: put in, or put before what stands there. */
function systemSplice(field: string, prompt: string, places: RequestFacts["places"]): Splice {
  const { system } = places;
  const text = JSON.stringify(prompt);
  if (system === undefined) return rootInsertion(`${JSON.stringify(field)}:${text}`, places);
  const at = system.start + 1;
  if (system.kind === "string" && system.filled) {
    const before = JSON.stringify(prompt + promptSeparator).slice(1, -1);
    return { start: at, end: at, text: before };
  }
  if (system.kind === "array") {
    const block = JSON.stringify({ type: "text", text: prompt });
    return { start: at, end: at, text: `${block}${system.filled ? "," : ""}` };
  }
  return { start: system.start, end: system.end, text };
}

/** Puts the tools before those of the caller. Throws `request_invalid` when one of these has the name of one of them. */
export function toolSplice(
  surface: SurfaceName,
  tools: readonly BundleTool[],
  { body, places }: { readonly body: Buffer; readonly places: RequestFacts["places"] },
): Splice | undefined {
  const write = writers[surface];
  if (write === undefined) return undefined;
  const texts = tools.map((tool) => JSON.stringify(write(tool))).join(",");
  const { tools: given } = places;
  if (given === undefined) return rootInsertion(`"tools":[${texts}]`, places);
  if (given.kind !== "array") return { start: given.start, end: given.end, text: `[${texts}]` };
  refuseRepeated(tools, parseForeignJson(body.toString("utf8", given.start, given.end)));
  const at = given.start + 1;
  return { start: at, end: at, text: `${texts}${given.filled ? "," : ""}` };
}

const writers: Readonly<Partial<Record<SurfaceName, (tool: BundleTool) => object>>> = {
  chat: (tool) => ({ type: "function", function: tool }),
  responses: (tool) => ({ type: "function", ...tool }),
  messages: writeMessagesTool,
  "count-tokens": writeMessagesTool,
};

function writeMessagesTool({ name, description, parameters }: BundleTool): object {
  return { name, ...(description === undefined ? {} : { description }), input_schema: parameters };
}

function refuseRepeated(tools: readonly BundleTool[], given: unknown): void {
  const names = new Set(tools.map(({ name }) => name));
  for (const tool of Array.isArray(given) ? given : []) {
    const name = nameOf(tool);
    if (name === undefined || !names.has(name)) continue;
    throw new PlatformError(
      "request_invalid",
      `The bundle has a tool "${name}", and the request brings one of the same name.`,
      { where: "/tools", hint: "Leave it out, or call it by another name." },
    );
  }
}

function nameOf(tool: unknown): string | undefined {
  if (typeof tool !== "object" || tool === null) return undefined;
  if ("name" in tool && typeof tool.name === "string") return tool.name;
  return "function" in tool ? nameOf(tool.function) : undefined;
}
