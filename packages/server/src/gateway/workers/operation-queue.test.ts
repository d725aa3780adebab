import { describe, expect, it } from "vitest";

import { simulatedClock } from "@faultline/testkit";

import type { OperationRecord } from "../calls/operation-record.ts";
import { gatewayLimits } from "../limits.ts";
import { emptyRecord } from "../test/operation-records.ts";
import { fromOperationText } from "./operation-text.ts";
import { OperationQueue } from "./operation-queue.ts";

const { operationQueueMax, operationBatchMax, operationBatchesInFlightMax, operationRetryMs } =
  gatewayLimits;
const roomForAll = operationQueueMax + operationBatchMax * operationBatchesInFlightMax;

const recordOf = (number: number): OperationRecord => emptyRecord(String(number));

function openQueue() {
  const time = { nowMs: 0 };
  const sent = new Map<number, readonly unknown[]>();
  const clock = { ...simulatedClock(), monotonicMs: () => time.nowMs };
  let isTaking = true;
  const queue = new OperationQueue((batchId, records) => {
    if (isTaking) sent.set(batchId, records);
    return isTaking;
  }, clock);
  const refuse = (): void => void (isTaking = false);
  return { queue, sent, time, refuse };
}

describe("the queue of records", () => {
  it("never grows beyond its bound while nobody takes them, and counts what it drops", () => {
    const { queue, refuse } = openQueue();
    refuse();
    for (let number = 0; number < roomForAll + 1_000; number += 1) queue.push(recordOf(number));
    expect(queue.length).toBeLessThanOrEqual(roomForAll);
    expect(queue.length + queue.droppedCount).toBe(roomForAll + 1_000);
    expect(queue.droppedCount).toBeGreaterThan(0);
  });

  it("has so many batches under way and no more, and sends those again that were refused", () => {
    const { queue, sent, time } = openQueue();
    for (let number = 0; number < operationBatchMax * 10; number += 1) queue.push(recordOf(number));
    expect(sent.size).toBe(operationBatchesInFlightMax);
    const [first = 0, second = 0] = sent.keys();
    queue.onRefused(first);
    sent.delete(first);
    queue.flush();
    expect(sent.has(first)).toBe(false);
    time.nowMs += operationRetryMs;
    queue.flush();
    expect(sent.has(first)).toBe(true);
    queue.onStored(second);
    expect(sent.size).toBe(operationBatchesInFlightMax + 1);
  });

  it("gives what was not acknowledged to who stores it elsewhere, each once", () => {
    const { queue, sent } = openQueue();
    for (let number = 0; number < operationBatchMax * 3; number += 1) queue.push(recordOf(number));
    queue.push(recordOf(-1));
    const [first = 0] = sent.keys();
    queue.onStored(first);
    const left = queue.takeAll().map((text) => Number(fromOperationText(text).operationId));
    expect(left).toHaveLength(operationBatchMax * 2 + 1);
    expect(Math.min(...left.filter((number) => number >= 0))).toBe(operationBatchMax);
    expect([queue.length, queue.takeAll()]).toEqual([0, []]);
  });
});
