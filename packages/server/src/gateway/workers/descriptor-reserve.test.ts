/** Processes with few descriptors, and more streams than fit. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

import { exchange, openSocket } from "../test/raw-client.ts";
import { testSecret } from "../test/test-gateway.ts";

const body = '{"model":"simulated","stream":true,"messages":[{"role":"user","content":"x"}]}';
const descriptorCount = 200;
const callerCount = 300;

/** The first words of the reply to a stream that then stays open. */
async function begin(port: number, sockets: Socket[]): Promise<string> {
  const socket = await openSocket(port);
  sockets.push(socket);
  socket.on("error", () => {});
  const first = Promise.race([once(socket, "data"), once(socket, "close")]);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\nx-faultline-simulate: stall-after=4\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const [data] = (await first) as [unknown];
  return Buffer.isBuffer(data) ? data.toString() : "nothing";
}

it("answers with a 503 and a reason when no descriptor is left, never with a reset", async () => {
  const script = fileURLToPath(new URL("../test/test-supervisor.ts", import.meta.url));
  const command = `ulimit -n ${descriptorCount}; exec "${process.execPath}" "${script}"`;
  const supervisor = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "inherit"] });
  const sockets: Socket[] = [];
  try {
    const [line] = (await once(supervisor.stdout, "data")) as [Buffer];
    const { port } = JSON.parse(line.toString()) as { port: number };
    const replies: string[] = [];
    for (let index = 0; index < callerCount; index += 1) replies.push(await begin(port, sockets));
    const served = replies.filter((reply) => reply.startsWith("HTTP/1.1 200"));
    const refused = replies.filter(
      (reply) => reply.startsWith("HTTP/1.1 503") && reply.includes("descriptors_exhausted"),
    );
    expect(served.length).toBeGreaterThan(10);
    expect(refused.length).toBeGreaterThan(10);
    expect(replies.filter((reply) => !served.includes(reply) && !refused.includes(reply))).toEqual(
      [],
    );

    for (const socket of sockets.splice(0)) socket.destroy();
    const again = async (): Promise<number> =>
      (await exchange(port, ["GET /readyz/gateway HTTP/1.1"])).status;
    // What is closed is free soon.
    while ((await again()) !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    for (const socket of sockets) socket.destroy();
    supervisor.kill("SIGKILL");
  }
});
