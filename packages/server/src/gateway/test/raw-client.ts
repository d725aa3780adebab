/** For tests: HTTP exchanges as bytes, so that what a client library would hide can be compared. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawReply {
  readonly head: string;
  /** The body with its transfer encoding taken off. */
  readonly body: Buffer;
  /** Whether the body ended as its framing announced. */
  readonly whole: boolean;
  readonly status: number;
}

/** Sends a request of `connection: close` and reads until the connection ends. */
export async function exchange(
  port: number,
  head: readonly string[],
  body: Buffer | string = "",
): Promise<RawReply> {
  const socket = await openSocket(port);
  const bytes = Buffer.from(body);
  socket.write(
    `${[...head, "host: gateway", `content-length: ${bytes.length}`, "connection: close"].join("\r\n")}\r\n\r\n`,
  );
  socket.write(bytes);
  return parseReply(await readAll(socket));
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {
    // A reset ends the reply as well.
  });
  return socket;
}

/** All bytes up to the end of the connection, also when it is reset. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(parts);
}

export function parseReply(bytes: Buffer): RawReply {
  const headEnd = bytes.indexOf("\r\n\r\n");
  const head = bytes.toString("latin1", 0, headEnd < 0 ? bytes.length : headEnd);
  const rest = headEnd < 0 ? Buffer.alloc(0) : bytes.subarray(headEnd + 4);
  const status = Number(head.slice(9, 12));
  if (/^transfer-encoding: chunked$/im.test(head)) return { head, status, ...readChunks(rest) };
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? Number.NaN);
  return { head, status, body: rest, whole: rest.length === length };
}

function readChunks(bytes: Buffer): { body: Buffer; whole: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return { body: Buffer.concat(parts), whole: false };
    const length = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (length === 0) return { body: Buffer.concat(parts), whole: true };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
