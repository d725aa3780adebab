/** What the control API stands on, and how one of its handlers looks. */

import type { Cases } from "#cases/index.ts";
import type { Bundles, Prices } from "#catalog/index.ts";
import type { Compute } from "#compute/index.ts";
import type { Config } from "#config/index.ts";
import type { ExpositionFormat, ShownMetric } from "#gateway/index.ts";
import type { Identity, Principal } from "#identity/index.ts";
import type { Clock, Ids, Random } from "#kernel/index.ts";
import type { Ledger, LedgerBooks, Reconciliations, Regions, Webhooks } from "#ledger/index.ts";
import type { TenantScope } from "#storage/index.ts";
import type { Telemetry } from "#telemetry/index.ts";
import type { ApiInput, ApiOutput, ApiRouteName, apiRoutes, Readiness } from "@faultline/protocol";
import type { FastifyReply } from "fastify";
import type { Logger } from "pino";
import type { Registry } from "prom-client";

import type { Sessions } from "./sessions.ts";

export interface ControlServices {
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  readonly cases: Cases;
  readonly bundles: Bundles;
  readonly prices: Prices;
  readonly ledger: Ledger;
  readonly ledgerBooks: LedgerBooks;
  readonly reconciliations: Reconciliations;
  readonly regions: Regions;
  readonly webhooks: Webhooks;
  readonly compute: Compute;
  /** Traces the platform's own work. */
  /** Whether everything that work needs is there. */
  readiness(signal: AbortSignal): Promise<Readiness>;
  /** What a scraper reads: metrics of the gateway processes, after those that are given. */
  metrics(format: ExpositionFormat, own: readonly ShownMetric[]): Promise<string>;
}

export interface ControlOptions {
  readonly services: ControlServices;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly registry: Registry;
  /** The built console; when the folder is not there, a page says how to build it. */
  readonly consoleFolder: string;
  readonly socketPath: string;
  /** Cancels the work of every request. */
  readonly signal: AbortSignal;
}

/** What a handler knows beyond its validated input. */
export interface ApiContext {
  readonly principal: Principal;
  /** The rows of the principal's tenant, until the client leaves or the deadline passes. */
  readonly scope: TenantScope;
  readonly signal: AbortSignal;
  readonly reply: FastifyReply;
}

/** A route that anybody may call has no principal. */
type ContextOf<N extends ApiRouteName> = (typeof apiRoutes)[N]["access"] extends "public"
  ? Omit<ApiContext, "principal" | "scope">
  : ApiContext;

export type ApiHandler<N extends ApiRouteName> = (
  input: ApiInput<N>,
  context: ContextOf<N>,
) => Promise<HandlerOutput<N>>;

/** What is sent while it is made comes in pieces. */
type HandlerOutput<N extends ApiRouteName> = (typeof apiRoutes)[N]["reply"]["kind"] extends "stream"
  ? AsyncIterable<string>
  : ApiOutput<N>;

/** One handler for each route of the table; the compiler refuses a table with a route that nobody handles. */
export type ApiHandlers = { readonly [N in ApiRouteName]: ApiHandler<N> };

export interface HandlerParts {
  readonly services: ControlServices;
  readonly config: Config;
  readonly clock: Clock;
  readonly sessions: Sessions;
}
