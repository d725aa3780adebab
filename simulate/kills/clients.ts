/** Callers: plain calls and streams, some that leave in the middle, some whose provider fails first. */

import { exchange, openSocket, readAll } from "@faultline/server/gateway/test/raw-client.ts";
import { systemClock } from "@faultline/server/kernel/index.ts";
import type { Socket } from "node:net";

import type { Chance } from "../chance.ts";
import type { Manner } from "./witness.ts";

/** Who calls. */
export interface Caller {
  readonly port: () => number;
  readonly secret: string;
}

export interface CallTerms {
  readonly call: string;
  readonly manner: Manner;
  readonly model?: string;
  readonly isStream?: boolean;
}

/** What callers saw. */
export interface CallCounts {
  answered: number;
  refused: number;
  unavailable: number;
  broken: number;
  left: number;
}

const pauseMs = 50;

function wordsOf({ call, manner, model = "model-a", isStream = false }: CallTerms, secret: string) {
  const content = `${call} ${manner}`;
  const messages = [{ role: "user", content }];
  const body = JSON.stringify({ model, max_tokens: 20, stream: isStream, messages });
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `authorization: Bearer ${secret}`,
    `x-faultline-user: ${call}`,
  ];
  return { head, body };
}

/** One whole call; gives its status, and 0 when no whole answer came. */
export async function makeCall(caller: Caller, terms: CallTerms): Promise<number> {
  const { head, body } = wordsOf(terms, caller.secret);
  try {
    const reply = await exchange(caller.port(), head, body);
    return reply.whole ? reply.status : 0;
  } catch {
    return 0;
  }
}

/** Begins a call, of which the program watches the first bytes. */
export async function beginCall(caller: Caller, terms: CallTerms): Promise<Socket> {
  const { head, body } = wordsOf(terms, caller.secret);
  const socket = await openSocket(caller.port());
  const lines = [...head, "host: gateway", `content-length: ${body.length}`, "connection: close"];
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  return socket;
}

/** Calls one after the other until the signal aborts. Notes the names of calls that were answered whole. */
export async function keepCalling(
  caller: Caller,
  parts: {
    readonly name: string;
    readonly chance: Chance;
    readonly counts: CallCounts;
    readonly answered: Set<string>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { name, chance, counts, answered, signal } = parts;
  for (let count = 0; !signal.aborted; count += 1) {
    const call = `${name}-${count}`;
    const manner = chance.happens(0.1) ? "flaky" : "plain";
    const isStream = chance.happens(0.4);
    if (isStream && chance.happens(0.3)) {
      const leavesAfter = chance.between(1, 3);
      const hasBegun = await leaveEarly(caller, { call, manner: "stream", isStream }, leavesAfter);
      if (hasBegun) counts.left += 1;
      else await systemClock.sleep(pauseMs, signal).catch(() => {});
      continue;
    }
    const status = await makeCall(caller, { call, manner, isStream });
    if (status === 200) {
      counts.answered += 1;
      answered.add(call);
    } else {
      if (status === 402) counts.refused += 1;
      else if (status === 0) counts.broken += 1;
      else counts.unavailable += 1;
      await systemClock.sleep(pauseMs, signal).catch(() => {});
    }
  }
}

/** Says whether anything came. */
async function leaveEarly(caller: Caller, terms: CallTerms, afterParts: number): Promise<boolean> {
  let count = 0;
  try {
    const socket = await beginCall(caller, terms);
    socket.on("data", () => {
      count += 1;
      if (count >= afterParts) socket.destroy();
    });
    await readAll(socket);
  } catch {
    // The gateway is away.
  }
  return count > 0;
}
