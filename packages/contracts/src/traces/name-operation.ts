/** Names for work that are the same for each request of its kind. */

import type { Span } from "../model/span.ts";
import { looksLikeId, templateOfPath } from "./url-template.ts";
import { telltaleNameOf } from "./vendor-span.ts";

/** What a unit does, in words that are the same for each request of its kind. */
export function operationOf(span: Span): string {
  const { attributes } = span;
  const tool = attributes["gen_ai.tool.name"];
  if (typeof tool === "string") return `execute_tool ${tool}`;
  const method = attributes["http.request.method"] ?? attributes["http.method"];
  if (typeof method === "string" && span.kind === "server") {
    const route = attributes["http.route"];
    if (typeof route === "string" && route !== "") return `${method} ${route}`;
    const target = attributes["url.path"] ?? attributes["http.target"];
    if (typeof target === "string")
      return `${method} ${templateOfPath(target.split("?", 1)[0] ?? "")}`;
  }
  return stableName(telltaleNameOf(span));
}

/** A span's name without the ids that some instrumentations put into it. */
export function stableName(name: string): string {
  if (!/\d|@/.test(name)) return name;
  return name
    .split(" ")
    .map((word) => {
      if (word.includes("/")) return templateOfPath(word);
      return looksLikeId(word) ? "{id}" : word.replace(/\d+/g, "#");
    })
    .join(" ");
}
