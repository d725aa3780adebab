/**
 * Every route of the control API in one table. The server registers it, the client calls it, the OpenAPI document is
 * generated from it, and one test walks it for authorization.
 */

import type { Static, TSchema } from "typebox";

import {
  AliasDetail,
  AliasList,
  AliasParams,
  BundleAlias,
  BundleDiff,
  BundleDiffQuery,
  BundleList,
  BundleParams,
  BundleVersion,
  BundleVersionList,
  BundleVersionParams,
  KillRequest,
  KillSwitch,
  KillSwitchList,
  PutAliasRequest,
  PutBundleReply,
  PutBundleRequest,
  ReviveRequest,
  RollbackRequest,
  RolloutRequest,
} from "./api/bundles.ts";
import {
  AddMitigationRequest,
  CaseDetail,
  CaseList,
  CaseParams,
  CaseQuery,
  CaseSnapshotParams,
  CloseCaseRequest,
  OpenCaseRequest,
  ReportQuery,
  VerifyCaseRequest,
} from "./api/cases.ts";
import {
  CreatedKey,
  CreateKeyRequest,
  CreateSessionRequest,
  KeyList,
  KeyParams,
  KeySummary,
  Principal,
} from "./api/identity.ts";
import { Overview, OverviewQuery } from "./api/overview.ts";
import { ServiceList, TraceDetail, TraceList, TraceParams, TraceQuery } from "./api/telemetry.ts";
import { computeRoutes } from "./compute-routes.ts";
import { KeyTerms } from "./key-terms.ts";
import { ledgerPriceRoutes } from "./ledger-price-routes.ts";
import { ledgerRoutes } from "./ledger-routes.ts";
import { ledgerSeriesRoutes } from "./ledger-series-routes.ts";
import { ledgerWebhookRoutes } from "./ledger-webhook-routes.ts";
import { regionRoutes } from "./region-routes.ts";
import { type ApiRoute, json } from "./route.ts";

export type { ApiRoute, RouteAccess, RouteReply } from "./route.ts";

export const apiRoutes = {
  createSession: {
    method: "POST",
    path: "/api/session",
    access: "public",
    summary: "Signs a browser in with a key and sets the session cookie.",
    body: CreateSessionRequest,
    reply: json(201, Principal),
  },
  readSession: {
    method: "GET",
    path: "/api/session",
    access: "signed-in",
    summary: "Says who the key or the session belongs to.",
    reply: json(200, Principal),
  },
  deleteSession: {
    method: "DELETE",
    path: "/api/session",
    access: "signed-in",
    summary: "Signs the browser out.",
    reply: { kind: "empty", status: 204 },
  },
  listKeys: {
    method: "GET",
    path: "/api/keys",
    access: "key:manage",
    summary: "Lists the keys of the tenant, without their secrets.",
    reply: json(200, KeyList),
  },
  createKey: {
    method: "POST",
    path: "/api/keys",
    access: "key:manage",
    summary: "Creates a key; its secret is in this answer and nowhere else.",
    body: CreateKeyRequest,
    reply: json(201, CreatedKey),
  },
  setKeyTerms: {
    method: "POST",
    path: "/api/keys/:id/terms",
    access: "key:manage",
    summary: "Replaces the terms of a key; answers when every gateway process keeps to them.",
    params: KeyParams,
    body: KeyTerms,
    reply: json(200, KeySummary),
  },
  revokeKey: {
    method: "DELETE",
    path: "/api/keys/:id",
    access: "key:manage",
    summary: "Revokes a key at once and for good.",
    params: KeyParams,
    reply: json(200, KeySummary),
  },
  readOverview: {
    method: "GET",
    path: "/api/overview",
    access: "telemetry:read",
    summary: "Traffic, boundaries and open cases of a window that ends now.",
    query: OverviewQuery,
    reply: json(200, Overview),
  },
  listServices: {
    method: "GET",
    path: "/api/services",
    access: "telemetry:read",
    summary: "Lists the services that sent spans, with their operations.",
    reply: json(200, ServiceList),
  },
  listTraces: {
    method: "GET",
    path: "/api/traces",
    access: "telemetry:read",
    summary: "Lists traces by service, operation, time, duration and status, newest first.",
    query: TraceQuery,
    reply: json(200, TraceList),
  },
  readTrace: {
    method: "GET",
    path: "/api/traces/:traceId",
    access: "telemetry:read",
    summary: "Reads a whole trace with what the contracts find in it.",
    params: TraceParams,
    reply: json(200, TraceDetail),
  },
  listCases: {
    method: "GET",
    path: "/api/cases",
    access: "case:read",
    summary: "Lists cases, newest first.",
    query: CaseQuery,
    reply: json(200, CaseList),
  },
  openCase: {
    method: "POST",
    path: "/api/cases",
    access: "case:write",
    summary:
      "Opens a case: freezes a snapshot of the subject's traces and runs the contracts on it.",
    body: OpenCaseRequest,
    reply: json(201, CaseDetail),
  },
  readCase: {
    method: "GET",
    path: "/api/cases/:id",
    access: "case:read",
    summary: "Reads one case by id or number.",
    params: CaseParams,
    reply: json(200, CaseDetail),
  },
  verifyCase: {
    method: "POST",
    path: "/api/cases/:id/verify",
    access: "case:write",
    summary: "Takes the snapshot after a repair and compares it with the one before.",
    params: CaseParams,
    body: VerifyCaseRequest,
    reply: json(200, CaseDetail),
  },
  addMitigation: {
    method: "POST",
    path: "/api/cases/:id/mitigations",
    access: "case:write",
    summary: "Notes what was done against the symptom.",
    params: CaseParams,
    body: AddMitigationRequest,
    reply: json(200, CaseDetail),
  },
  closeCase: {
    method: "POST",
    path: "/api/cases/:id/close",
    access: "case:write",
    summary: "Closes a case with a reason.",
    params: CaseParams,
    body: CloseCaseRequest,
    reply: json(200, CaseDetail),
  },
  readReport: {
    method: "GET",
    path: "/api/cases/:id/report",
    access: "case:read",
    summary: "The report of a case as Markdown or HTML.",
    params: CaseParams,
    query: ReportQuery,
    reply: { kind: "text", status: 200, mediaTypes: ["text/markdown", "text/html"] },
  },
  readCaseSnapshot: {
    method: "GET",
    path: "/api/cases/:id/snapshots/:snapshotId",
    access: "case:read",
    summary: "A snapshot of a case as a `.faultline` file.",
    params: CaseSnapshotParams,
    reply: { kind: "bytes", status: 200, mediaTypes: ["application/vnd.faultline.snapshot"] },
  },
  listBundles: {
    method: "GET",
    path: "/api/bundles",
    access: "bundle:read",
    summary: "Lists the bundles of the tenant, each with its newest version.",
    reply: json(200, BundleList),
  },
  putBundle: {
    method: "POST",
    path: "/api/bundles",
    access: "bundle:write",
    summary: "Adds a version to a bundle, unless one of the same content is there already.",
    body: PutBundleRequest,
    reply: json(200, PutBundleReply),
  },
  listBundleVersions: {
    method: "GET",
    path: "/api/bundles/:name",
    access: "bundle:read",
    summary: "Lists the versions of a bundle, newest first.",
    params: BundleParams,
    reply: json(200, BundleVersionList),
  },
  readBundleVersion: {
    method: "GET",
    path: "/api/bundles/:name/versions/:version",
    access: "bundle:read",
    summary: "Reads one version of a bundle, by its number or as `newest`.",
    params: BundleVersionParams,
    reply: json(200, BundleVersion),
  },
  diffBundle: {
    method: "GET",
    path: "/api/bundles/:name/diff",
    access: "bundle:read",
    summary:
      "What differs between two versions, field by field; by default the newest and the one before.",
    params: BundleParams,
    query: BundleDiffQuery,
    reply: json(200, BundleDiff),
  },
  listAliases: {
    method: "GET",
    path: "/api/aliases",
    access: "bundle:read",
    summary: "Lists the aliases of the tenant and where they point.",
    reply: json(200, AliasList),
  },
  putAlias: {
    method: "POST",
    path: "/api/aliases",
    access: "bundle:write",
    summary: "Points an alias at weighted versions, at once and for every caller.",
    body: PutAliasRequest,
    reply: json(200, BundleAlias),
  },
  readAlias: {
    method: "GET",
    path: "/api/aliases/:name",
    access: "bundle:read",
    summary: "Reads an alias with its history.",
    params: AliasParams,
    reply: json(200, AliasDetail),
  },
  rolloutAlias: {
    method: "POST",
    path: "/api/aliases/:name/rollout",
    access: "bundle:write",
    summary: "Begins a roll-out, or takes its next step: 1, 10, 50, then 100 percent of callers.",
    params: AliasParams,
    body: RolloutRequest,
    reply: json(200, BundleAlias),
  },
  rollbackAlias: {
    method: "POST",
    path: "/api/aliases/:name/rollback",
    access: "bundle:write",
    summary: "Ends a roll-out, or restores where the alias stood before.",
    params: AliasParams,
    body: RollbackRequest,
    reply: json(200, BundleAlias),
  },
  listKillSwitches: {
    method: "GET",
    path: "/api/kill-switches",
    access: "bundle:read",
    summary: "Lists what is killed, and what was.",
    reply: json(200, KillSwitchList),
  },
  kill: {
    method: "POST",
    path: "/api/kill-switches",
    access: "bundle:write",
    summary:
      "Stops an alias, model, provider or the tenant; answers when no gateway process admits it any more.",
    body: KillRequest,
    reply: json(200, KillSwitch),
  },
  revive: {
    method: "POST",
    path: "/api/kill-switches/revive",
    access: "bundle:write",
    summary: "Ends a kill switch.",
    body: ReviveRequest,
    reply: json(200, KillSwitch),
  },
  ...ledgerRoutes,
  ...ledgerPriceRoutes,
  ...ledgerWebhookRoutes,
  ...ledgerSeriesRoutes,
  ...regionRoutes,
  ...computeRoutes,
} as const satisfies Record<string, ApiRoute>;

export type ApiRouteName = keyof typeof apiRoutes;
// The keys of a literal table are exactly its names.
export const apiRouteNames = Object.keys(apiRoutes) as ApiRouteName[];

type Part<R, K extends "params" | "query" | "body"> = R extends {
  readonly [key in K]: infer S extends TSchema;
}
  ? Static<S>
  : never;

/** What a route takes: its path parameters, query and body, as far as it has them. */
export type ApiInput<N extends ApiRouteName> = InputOf<(typeof apiRoutes)[N]>;
type InputOf<R> = (R extends { readonly params: TSchema }
  ? { readonly params: Part<R, "params"> }
  : unknown) &
  (R extends { readonly query: TSchema } ? { readonly query?: Part<R, "query"> } : unknown) &
  (R extends { readonly body: TSchema } ? { readonly body: Part<R, "body"> } : unknown);

/** What a route answers. */
export type ApiOutput<N extends ApiRouteName> = OutputOf<(typeof apiRoutes)[N]["reply"]>;
type OutputOf<R> = R extends { readonly kind: "json"; readonly schema: infer S extends TSchema }
  ? Static<S>
  : R extends { readonly kind: "text" | "stream" }
    ? string
    : R extends { readonly kind: "bytes" }
      ? Uint8Array<ArrayBuffer>
      : undefined;
