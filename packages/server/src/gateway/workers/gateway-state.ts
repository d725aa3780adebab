/** What one worker works with: its snapshot, ready to be asked, and its collaborators. */

import {
  type BundleIndex,
  type Catalog,
  type DefaultPrice,
  indexBundles,
  openCatalog,
} from "#catalog/index.ts";
import type { Clock, Ids, Random } from "#kernel/index.ts";

import { LayerTable } from "../admission/layer-table.ts";
import type { Limits } from "../admission/limits.ts";
import type { CreditDesk } from "../credit/credit-desk.ts";
import type { Admission } from "../calls/admission.ts";
import { KeyTable } from "../calls/authenticate.ts";
import type { Targets } from "../dispatch/targets.ts";
import type { Deadlines } from "../calls/deadlines.ts";
import type { ResponseCache } from "../cache/response-cache.ts";
import type { KeyedCalls } from "../idempotency/keyed-calls.ts";
import type { DurableStreams, WorkerPlace } from "../streams/durable-streams.ts";
import type { JournalWatch } from "./journal-watch.ts";
import type { DescriptorReserve } from "./descriptor-reserve.ts";
import type { Peers } from "./peers.ts";
import type { OperationQueue } from "./operation-queue.ts";
import type { ControlLink } from "../observation/control-link.ts";
import type { EventLoopWatch } from "../observation/event-loop-watch.ts";
import type { GatewayMetrics } from "../observation/gateway-metrics.ts";
import type { ReplyReaders } from "../calls/reply-readers.ts";
import type { RequestReaders } from "../calls/request-readers.ts";
import type { Policies } from "../policy/policies.ts";
import type { GatewaySettings, GatewaySnapshot } from "../snapshot.ts";
import type { TraceContexts } from "../calls/trace-context.ts";
import type { Upstreams } from "../calls/upstreams.ts";

/** A snapshot, indexed. Replaced as a whole, so that no request sees half of a change. */
export interface Knowledge {
  readonly version: number;
  readonly settings: GatewaySettings;
  readonly catalog: Catalog;
  readonly bundles: BundleIndex;
  readonly keys: KeyTable;
  readonly layers: LayerTable;
  readonly capturingTenants: ReadonlySet<string>;
  /** What they use is paid for in advance. */
  readonly payingTenants: ReadonlySet<string>;
  /** By their tenants. */
  readonly defaultPrices: ReadonlyMap<string, DefaultPrice>;
}

export interface GatewayState {
  knowledge: Knowledge;
  draining: boolean;
  readonly worker: WorkerPlace;
  readonly peers: Peers;
  readonly streams: DurableStreams;
  readonly keyed: KeyedCalls;
  readonly cache: ResponseCache;
  readonly journals: JournalWatch;
  readonly clock: Clock;
  readonly loop: EventLoopWatch;
  readonly controlLink: ControlLink;
  readonly descriptors: DescriptorReserve;
  readonly ids: Ids;
  readonly traces: TraceContexts;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  readonly credit: CreditDesk;
  readonly admission: Admission;
  /** What is known of each target, and the places with it. */
  readonly targets: Targets;
  /** For back-off and what else calls leave to chance. */
  readonly random: Random;
  readonly upstreams: Upstreams;
  readonly readers: ReplyReaders;
  readonly requestReaders: RequestReaders;
  readonly policies: Policies;
  readonly queue: OperationQueue;
  readonly metrics: GatewayMetrics;
  /** Tells the operator, through the supervisor's log. */
  readonly log: (
    level: "info" | "warn" | "error",
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void;
}

export function toKnowledge(snapshot: GatewaySnapshot): Knowledge {
  const catalog = openCatalog(snapshot.catalog);
  return {
    version: snapshot.version,
    settings: snapshot.settings,
    catalog,
    bundles: indexBundles(snapshot.bundles, catalog),
    keys: new KeyTable(snapshot.keys),
    layers: new LayerTable(snapshot.limits, snapshot.keys),
    capturingTenants: new Set(
      snapshot.tenants.filter((tenant) => tenant.capture === "content").map((tenant) => tenant.id),
    ),
    payingTenants: new Set(snapshot.payingTenants ?? []),
    defaultPrices: new Map(
      (snapshot.defaultPrices ?? []).map(({ tenantId, price }) => [tenantId, price]),
    ),
  };
}
