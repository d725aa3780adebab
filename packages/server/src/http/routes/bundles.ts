/** Behaviour bundles of the caller's tenant: versions, aliases, kill switches. */

import type { ApiContext, ApiHandlers, HandlerParts } from "../services.ts";

type Names =
  | "listBundles"
  | "putBundle"
  | "listBundleVersions"
  | "readBundleVersion"
  | "diffBundle"
  | "listAliases"
  | "putAlias"
  | "readAlias"
  | "rolloutAlias"
  | "rollbackAlias"
  | "listKillSwitches"
  | "kill"
  | "revive";

/** Handlers of `/api/bundles`, `/api/aliases` and `/api/kill-switches`. */
export function bundleHandlers({ services }: HandlerParts): Pick<ApiHandlers, Names> {
  const { bundles } = services;
  return {
    async listBundles(_input, { scope }) {
      return { bundles: await bundles.list(scope) };
    },
    async putBundle({ body }, context) {
      return bundles.put(actingScope(context), body);
    },
    async listBundleVersions({ params }, { scope }) {
      return { versions: await bundles.listVersions(scope, params.name) };
    },
    async readBundleVersion({ params }, { scope }) {
      const version = params.version === "newest" ? undefined : Number(params.version);
      return bundles.read(scope, params.name, version);
    },
    async diffBundle({ params, query }, { scope }) {
      return bundles.diff(scope, params.name, query ?? {});
    },
    async listAliases(_input, { scope }) {
      return { aliases: await bundles.listAliases(scope) };
    },
    async putAlias({ body }, context) {
      return bundles.putAlias(actingScope(context), body);
    },
    async readAlias({ params }, { scope }) {
      return { name: params.name, revisions: await bundles.aliasHistory(scope, params.name) };
    },
    async rolloutAlias({ params, body }, context) {
      return bundles.rollOut(actingScope(context), params.name, body);
    },
    async rollbackAlias({ params, body }, context) {
      return bundles.rollBack(actingScope(context), params.name, body);
    },
    async listKillSwitches(_input, { scope }) {
      return { killSwitches: await bundles.listKills(scope) };
    },
    async kill({ body }, context) {
      return bundles.kill(actingScope(context), body);
    },
    async revive({ body }, context) {
      return bundles.revive(actingScope(context), body);
    },
  };
}

function actingScope({ scope, principal }: ApiContext) {
  return { ...scope, actor: `${principal.keyName} (${principal.keyId})` };
}
