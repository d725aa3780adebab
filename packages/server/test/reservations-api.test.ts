import { type Client, PlatformError } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Config, loadConfig } from "#config/index.ts";

import { openTestControl, type TestControl } from "./control-fixture.ts";

const stack = new AsyncDisposableStack();
const { signal } = new AbortController();
let control: TestControl;
let admin: Client;

beforeAll(async () => {
  const { compute } = loadConfig({ environment: {}, workingFolder: "/nonexistent" });
  const node = { id: "n1", region: "eu", deviceKind: "h100", deviceCount: 8 };
  const config: Partial<Config> = {
    compute: {
      ...compute,
      nodes: [{ ...node, cpuCores: 8, memoryGigabytes: 8 }],
      prices: [{ deviceKind: "h100", microsPerDeviceSecond: 100, priorityPercent: 0, changes: [] }],
    },
  };
  control = stack.use(await openTestControl({ config }));
  admin = control.client(control.keys.byRole.admin);
  const grant = { currency: "USD", amountMicros: "1000000" };
  await admin.grantCredit({ body: grant }, { signal });
});
afterAll(async () => await stack.disposeAsync());

const job = { deviceKind: "h100", member: { deviceCount: 8 }, durationSeconds: 60 };

describe("reservations over HTTP", () => {
  it("go from the request over heartbeats to the end, and the next one takes its place", async () => {
    const engineer = control.client(control.keys.byRole.engineer);
    const first = await engineer.reserveCompute({ body: { ...job, id: "one" } }, { signal });
    expect(first).toMatchObject({ id: "one", stage: "reserved", costMicros: "48000" });
    const second = await engineer.reserveCompute({ body: job }, { signal });
    expect(second).toMatchObject({ stage: "waiting", wait: { binding: { kind: "capacity" } } });
    const params = { id: "one" };
    expect(await engineer.heartbeatReservation({ params }, { signal })).toMatchObject({
      goesOn: true,
      reservation: { stage: "running" },
    });
    const done = await engineer.completeReservation({ params }, { signal });
    expect(done).toMatchObject({ stage: "ended", end: "completed" });
    const { reservations } = await engineer.listReservations({}, { signal });
    expect(reservations.map(({ id, stage }) => [id, stage])).toEqual([
      [second.id, "reserved"],
      ["one", "ended"],
    ]);
    const withdrawn = await engineer.withdrawReservation({ params: { id: second.id } }, { signal });
    expect(withdrawn).toMatchObject({ stage: "ended", end: "withdrawn" });
    const { accounts } = await admin.readLedgerBalance({}, { signal });
    expect(accounts[0]).toMatchObject({ heldMicros: "0" });
  });

  it("are refused with a code that says why, and hidden from other tenants", async () => {
    const codeOf = async (work: Promise<unknown>): Promise<string> =>
      await work.then(
        () => "none",
        (error: unknown) => (error instanceof PlatformError ? error.code : String(error)),
      );
    const other = control.client(control.keys.otherTenant);
    await admin.reserveCompute({ body: { ...job, id: "mine" } }, { signal });
    const params = { id: "mine" };
    expect(await codeOf(other.readReservation({ params }, { signal }))).toBe("not_found");
    expect(await codeOf(admin.completeReservation({ params }, { signal }))).toBe("conflict");
    const unpriced = { ...job, deviceKind: "b200" };
    expect(await codeOf(admin.reserveCompute({ body: unpriced }, { signal }))).toBe(
      "price_unknown",
    );
    const many = { ...job, durationSeconds: 0 };
    expect(await codeOf(admin.reserveCompute({ body: many }, { signal }))).toBe("request_invalid");
  });
});
