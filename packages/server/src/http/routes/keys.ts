/** API keys of the caller's tenant. */

import type { KeyId } from "@faultline/protocol";

import type { ApiHandlers, HandlerParts } from "../services.ts";

type Names = "listKeys" | "createKey" | "setKeyTerms" | "revokeKey";

/** Handlers of `/api/keys`. */
export function keyHandlers({ services }: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    async listKeys(_input, { scope }) {
      return { keys: await services.identity.listKeys(scope) };
    },
    async createKey({ body }, { scope }) {
      return services.identity.createKey(scope, body);
    },
    async setKeyTerms({ params, body }, { scope }) {
      // The schema of the route holds the pattern of an id.
      return services.identity.setKeyTerms(scope, params.id as KeyId, body);
    },
    async revokeKey({ params }, { scope }) {
      // The schema of the route holds the pattern of an id.
      return services.identity.revokeKey(scope, params.id as KeyId);
    },
  };
}
