/** `GET /v1/models`: the catalog in the dialect's shape. A simulated provider says that it is no language model. */

import type { IncomingMessage, ServerResponse } from "node:http";

import type { CatalogModel } from "#catalog/index.ts";
import { admitsName, PlatformError } from "@faultline/protocol";

import { admittedTargets } from "../bundles/resolve-call.ts";
import type { SnapshotKey } from "../snapshot.ts";
import { authenticateCaller } from "./authenticate-caller.ts";
import { CallPrices } from "./call-prices.ts";
import { admitsModel } from "./model-terms.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { anthropicDialect, openaiDialect, toPlatformError } from "./dialect.ts";
import { sendError } from "./send-error.ts";

const listPath = "/v1/models";

/** Answers the list, or one model when the path goes on behind it. */
export function handleModels(
  state: GatewayState,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // Clients of Anthropic say so; the list has the shape that they read.
  const isAnthropic = request.headers["anthropic-version"] !== undefined;
  try {
    const { key } = authenticateCaller(state, request);
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const name = decodeName(path.slice(listPath.length + 1));
    const prices = new CallPrices(state.knowledge, key, state.clock.nowMs());
    const shape = isAnthropic ? anthropicShape : openaiShape(state, prices);
    const all = state.knowledge.catalog.listModels();
    const models = all.filter((model) => admitsModel(key, model));
    const aliases = state.knowledge.bundles
      .aliasesOf(key.tenantId)
      .filter((alias) => admitsName(key.terms.bundles, alias) && reaches(state, key, alias));
    if (name === "") sendJson(response, shape.list(models, aliases));
    else if (aliases.includes(name)) sendJson(response, shape.alias(name));
    else sendJson(response, shape.one(find(models, name)));
  } catch (error) {
    const failure = toPlatformError(error);
    state.metrics.countFailure(failure.code);
    sendError(response, failure, { dialect: isAnthropic ? anthropicDialect : openaiDialect });
  }
}

/** Whether an alias leads a key to a model that it may call. */
function reaches({ knowledge }: GatewayState, key: SnapshotKey, name: string): boolean {
  const admits = admittedTargets(key);
  if (admits === undefined) return true;
  const { tenantId } = key;
  const found = knowledge.bundles.resolve({ tenantId, name, stickyKey: () => "" });
  if (found.kind !== "bundle") return false;
  return found.bundle.targets.some(({ target }) => target !== undefined && admits(target));
}

interface ModelShape {
  list(models: readonly CatalogModel[], aliases: readonly string[]): unknown;
  one(model: CatalogModel): unknown;
  /** An alias of the caller's tenant, which leads to a version of a bundle. */
  alias(name: string): unknown;
}

function openaiShape(state: GatewayState, prices: CallPrices): ModelShape {
  const alias = (id: string): object => ({
    id,
    object: "model",
    created: 0,
    owned_by: "faultline-alias",
  });
  return {
    list: (models, aliases) => ({
      object: "list",
      data: [
        ...models.map((model) => describe(state, model, prices)),
        ...aliases.map((name) => alias(name)),
      ],
    }),
    one: (model) => describe(state, model, prices),
    alias,
  };
}

const anthropicShape: ModelShape = {
  list: (models, aliases) => ({
    data: [
      ...models.map((model) => anthropicShape.one(model)),
      ...aliases.map((name) => anthropicShape.alias(name)),
    ],
    has_more: false,
    first_id: models[0]?.id ?? aliases[0] ?? null,
    last_id: aliases.at(-1) ?? models.at(-1)?.id ?? null,
  }),
  one: (model) => anthropicModel(model.id, model.name),
  alias: (name) => anthropicModel(name, name),
};

function anthropicModel(id: string, name: string): object {
  // The dialect wants a date of creation; no provider's is known here.
  return { type: "model", id, display_name: name, created_at: "1970-01-01T00:00:00Z" };
}

function find(models: readonly CatalogModel[], name: string): CatalogModel {
  const model = models.find((candidate) => candidate.id === name || candidate.name === name);
  if (model !== undefined) return model;
  throw new PlatformError("model_not_found", `No configured provider serves "${name}".`, {
    where: "/model",
    hint: "GET /v1/models lists the models.",
  });
}

function describe(state: GatewayState, model: CatalogModel, prices: CallPrices): unknown {
  const price = prices.of(model);
  const provider = state.knowledge.catalog.snapshot.providers.find(
    (candidate) => candidate.name === model.provider,
  );
  const simulated = provider?.kind === "simulated";
  return {
    id: model.id,
    object: "model",
    // The dialect wants a date of creation; no provider's is known here.
    created: 0,
    owned_by: simulated ? "faultline-simulated" : model.provider,
    faultline: {
      simulated,
      ...(simulated ? { note: "Simulated: deterministic text, no language model." } : {}),
      priced: price !== undefined,
      price_source: price?.source ?? null,
    },
  };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new PlatformError(
      "request_malformed",
      "The model's name in the path is not encoded rightly.",
      {
        cause: error,
      },
    );
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}
