/** Where a reply goes: the caller's response, or something that keeps it for callers who come back. */

import type { ReplyHead } from "./reply-head.ts";

/** The part of a server's response that a reply needs; `ServerResponse` is one. */
export interface ReplySink {
  readonly headersSent: boolean;
  readonly statusCode: number;
  writeHead(status: number, head: ReplyHead): unknown;
  /** `false` asks to wait for `drain`. */
  write(chunk: Buffer | string): boolean;
  end(chunk?: Buffer | string): unknown;
  once(event: "drain", listener: () => void): unknown;
  /** Breaks the connection at once. */
  destroy(): unknown;
  /** Breaks the connection once what was written has gone out, without the end of the transfer. */
  cut?(): void;
}
