/** All that a bundle changes in a request, as splices: every other byte of the caller's stays as it is. */

import { parseForeignJson } from "@faultline/contracts/json";
import type { BundleDocument } from "@faultline/protocol";

import type { RequestFacts } from "../calls/request-reader.ts";
import type { Surface } from "../calls/surface.ts";
import type { Splice } from "../wire/splice.ts";
import { fillPrompt, type PromptSources } from "./fill-prompt.ts";
import { parameterSplices } from "./parameter-splices.ts";
import { promptSplice, toolSplice } from "./prompt-splices.ts";

/** A request in which a bundle is to be put. */
export interface BundledRequest {
  readonly surface: Surface;
  readonly body: Buffer;
  readonly facts: RequestFacts;
  readonly headers: PromptSources["headers"];
}

export interface BundleSplices {
  readonly splices: readonly Splice[];
  /** Parameters of the bundle that the request's format has no word for. */
  readonly unused: readonly string[];
}

/** Throws `request_invalid` where the bundle does not fit the request. */
export function bundleSplices(
  { systemPrompt, parameters, tools }: BundleDocument,
  request: BundledRequest,
): BundleSplices {
  const { surface, body, headers } = request;
  const { places } = request.facts;
  const splices: (Splice | undefined)[] = [];
  let unused: readonly string[] = [];
  if (systemPrompt !== undefined) {
    const prompt = fillPrompt(systemPrompt, { headers, metadata: metadataOf(request) });
    splices.push(promptSplice(surface.name, prompt, places));
  }
  if (tools !== undefined && tools.length > 0) {
    splices.push(toolSplice(surface.name, tools, { body, places }));
  }
  if (parameters !== undefined) {
    const put = parameterSplices(surface.name, parameters, places);
    splices.push(...put.splices);
    unused = put.unused;
  }
  return { splices: splices.filter((splice) => splice !== undefined), unused };
}

/** Entries of the request's metadata, read when the first one is asked for. */
export function metadataOf({
  body,
  facts,
}: Pick<BundledRequest, "body" | "facts">): (name: string) => string | undefined {
  let entries: Readonly<Record<string, string>> | undefined;
  return (name) => {
    entries ??= readMetadata(body, facts);
    return Object.hasOwn(entries, name) ? entries[name] : undefined;
  };
}

/** The entries of the request's metadata that are texts. */
export function readMetadata(body: Buffer, { places }: RequestFacts): Record<string, string> {
  const { metadata } = places;
  if (metadata?.kind !== "object") return {};
  // The grammar was checked, and it is an object.
  const value = parseForeignJson(body.toString("utf8", metadata.start, metadata.end)) as object;
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}
