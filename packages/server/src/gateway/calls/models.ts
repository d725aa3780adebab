/** `GET /v1/models`: the catalog in the dialect's shape. A simulated provider says that it is no language model. */

import type { IncomingMessage, ServerResponse } from "node:http";

import type { CatalogModel } from "#catalog/index.ts";
import { PlatformError } from "@faultline/protocol";

import { authenticate } from "./authenticate.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import { sendError, toPlatformError } from "./openai-error.ts";

const listPath = "/v1/models";

/** Answers the list, or one model when the path goes on behind it. */
export function handleModels(
  state: GatewayState,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  try {
    authenticate(state.knowledge.keys, request.headers.authorization, state.clock);
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const name = decodeName(path.slice(listPath.length + 1));
    sendJson(response, name === "" ? listAll(state) : findOne(state, name));
  } catch (error) {
    const failure = toPlatformError(error);
    state.metrics.countFailure(failure.code);
    sendError(response, failure);
  }
}

function listAll(state: GatewayState): unknown {
  const models = state.knowledge.catalog.listModels();
  return { object: "list", data: models.map((model) => describe(state, model)) };
}

function findOne(state: GatewayState, name: string): unknown {
  const model = state.knowledge.catalog
    .listModels()
    .find((candidate) => candidate.id === name || candidate.name === name);
  if (model === undefined) {
    throw new PlatformError("model_not_found", `No configured provider serves "${name}".`, {
      where: "/model",
      hint: "GET /v1/models lists the models.",
    });
  }
  return describe(state, model);
}

function describe(state: GatewayState, model: CatalogModel): unknown {
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
      priced: model.price !== undefined,
      price_source: model.price?.source ?? null,
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
