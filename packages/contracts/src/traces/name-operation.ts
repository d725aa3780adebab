/** Names for work that are the same for each request of its kind. */

import type { Span } from "../model/span.ts";
import { traceLimits } from "./limits.ts";
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

/** Names of operations, each text once: whoever looks them up later compares the same text. */
export class OperationNames {
  /** By route and method. */
  readonly #known = new Map<string, Map<string, string>>();

  /** As the function of this name. */
  operationOf(span: Span): string {
    const { attributes } = span;
    const route = attributes["http.route"];
    const method = attributes["http.request.method"] ?? attributes["http.method"];
    const isNamedByRoute =
      span.kind === "server" &&
      typeof route === "string" &&
      route !== "" &&
      typeof method === "string" &&
      typeof attributes["gen_ai.tool.name"] !== "string";
    return isNamedByRoute ? this.#nameOf(route, method) : operationOf(span);
  }

  #nameOf(route: string, method: string): string {
    const ofRoute = this.#known.get(route);
    const known = ofRoute?.get(method);
    if (known !== undefined) return known;
    const made = `${method} ${route}`;
    if (this.#known.size < traceLimits.nameCacheMax) {
      this.#known.set(route, (ofRoute ?? new Map()).set(method, made));
    }
    return made;
  }
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
