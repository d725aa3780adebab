/** For tests: a gateway of three workers whose tenant pays, over a real ledger, and a provider that counts what it is asked. */

import { createIds, systemClock, systemEventLoop, systemRandom } from "#kernel/index.ts";
import { Ledger, type LedgerAnswer, type LedgerRequest, Lending } from "#ledger/index.ts";
import type { Store } from "#storage/index.ts";
import type { Span } from "@faultline/contracts/model";
import { formatKey, type TenantId } from "@faultline/protocol";
import { pino } from "pino";

import { exchange, type RawReply } from "../../test/raw-client.ts";
import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  type RemoteProvider,
  type TestGateway,
  type TestGatewayOptions,
  type TestServer,
} from "../../test/test-gateway.ts";
import type { CreditSource } from "../credit-control.ts";

/** What a reply says that it used. */
export const inputTokens = 10;
export const outputTokens = 5;
/** Micros for a token. */
const inputPrice = 2_000;
const outputPrice = 8_000;
export const costMicros = BigInt(inputTokens * inputPrice + outputTokens * outputPrice);

/** A command without its id. */
type CommandToSend = { readonly kind: LedgerRequest["kind"] } & Readonly<Record<string, unknown>>;

export interface CreditWorld extends AsyncDisposable {
  readonly world: TestGateway;
  readonly ledger: Ledger;
  readonly provider: CountingProvider;
  /** Sends a command with a fresh id. */
  ask(request: CommandToSend): Promise<LedgerAnswer>;
  call(body?: string, headers?: readonly string[]): Promise<RawReply>;
}

export interface CountingProvider extends TestServer {
  /** Bodies that it was asked with. */
  readonly bodies: string[];
}

/** A provider of chat completions that answers plain calls after a turn, and streams likewise. */
export async function openCountingProvider(): Promise<CountingProvider> {
  const bodies: string[] = [];
  const server = await openTestServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      bodies.push(Buffer.concat(parts).toString());
      const usage = {
        prompt_tokens: inputTokens,
        completion_tokens: outputTokens,
        total_tokens: inputTokens + outputTokens,
      };
      const message = { role: "assistant", content: "one two" };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ id: "r", object: "chat.completion", choices, usage }));
    });
  });
  return Object.assign(server, { bodies });
}

export const body =
  '{"model":"model-a","max_tokens":20,"messages":[{"role":"user","content":"x"}]}';

/** What a call holds: at most a token for each byte, and its limit of output. */
export function holdOf(text: string, maxTokens: number): bigint {
  return BigInt(text.length * inputPrice + maxTokens * outputPrice);
}

export async function openCreditWorld(
  database: { readonly store: Store; readonly tenantId: TenantId },
  options: TestGatewayOptions & {
    readonly creditMicros: bigint;
    readonly leaseDurationMs?: number;
    /** Default: the tenant. */
    readonly paying?: readonly TenantId[];
    /** Stands between the gateway and the ledger. */
    readonly wrap?: (lending: Lending) => CreditSource["lending"];
  },
): Promise<CreditWorld> {
  await using stack = new AsyncDisposableStack();
  const { store, tenantId } = database;
  const background = new AbortController();
  stack.defer(() => background.abort());
  const { signal } = background;
  const ids = createIds(systemClock, systemRandom);
  const logger = pino({ level: "silent" });
  const parts = { store, clock: systemClock, ids, eventLoop: systemEventLoop, logger, signal };
  const ledger = stack.use(Ledger.open(parts));
  const ask = (request: CommandToSend) =>
    // Tests write commands as they are, save the id.
    ledger.submit({ tenantId, signal }, { id: ids.next(), ...request } as LedgerRequest);
  await ask({ kind: "open-account", currency: "USD", limitMicros: 0n });
  const amountMicros = options.creditMicros;
  if (amountMicros > 0n) {
    const terms = { priority: 0, expiresAtMs: undefined };
    await ask({ kind: "grant", currency: "USD", amountMicros, ...terms });
  }
  const provider = stack.use(await openCountingProvider());
  const secret = formatKey(tenantId, (bound) => systemRandom.integer(bound));
  const lending = new Lending({ ledger, store, signal });
  const { leaseDurationMs, wrap = (one: Lending) => one } = options;
  const world = stack.use(
    await openTestGateway({
      count: 3,
      providers: [pricedProvider(provider.port)],
      keys: [keyRow(secret, { tenantId })],
      ...options,
      payingTenants: options.paying ?? [tenantId],
      credit: {
        lending: wrap(lending),
        ...(leaseDurationMs === undefined ? {} : { leaseDurationMs }),
      },
    }),
  );
  const moved = stack.move();
  return {
    world,
    ledger,
    provider,
    ask,
    call: (text = body, headers = []) =>
      exchange(
        world.gateway.port,
        ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${secret}`, ...headers],
        text,
      ),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** A provider whose model costs what these tests reckon with. */
export function pricedProvider(port: number, name = "upstream"): RemoteProvider {
  const provider = providerAt(port, { name });
  const price = {
    inputMicrosPerMillionTokens: BigInt(inputPrice * 1_000_000),
    outputMicrosPerMillionTokens: BigInt(outputPrice * 1_000_000),
    cachedInputMicrosPerMillionTokens: 0n,
  };
  return { ...provider, models: provider.models.map((model) => ({ ...model, price })) };
}

/** The sum that the spans of a tenant's calls say was spent. */
export function spentBySpans(spans: readonly Span[]): bigint {
  return spans.reduce((sum, span) => sum + BigInt(costOf(span)), 0n);
}

function costOf(span: Span): number {
  const cost = span.attributes["faultline.cost.micros"];
  return typeof cost === "number" ? cost : Number(cost ?? 0);
}
