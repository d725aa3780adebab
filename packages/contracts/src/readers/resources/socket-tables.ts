/** Reads tables of sockets: `ss`, `netstat` and `/proc/net/tcp`. */

import type { ResourcesContent } from "../../model/resources.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { ResourceTable } from "./resource-table.ts";

const ssHeader = /^(?:Netid\s+)?State\s+Recv-Q\s+Send-Q\s+Local Address:Port\s+Peer Address:Port/m;
const netstatHeader =
  /^Proto\s+Recv-Q\s+Send-Q\s+Local Address\s+Foreign Address\s+(?:State|\(state\))/im;
const kernelHeader = /^\s*sl\s+local_address\s+(?:rem|remote)_address\s+st\s/m;
const headerLengthMax = 4_096;

/** Whether a text is such a table. */
export function recogniseSockets(head: string): boolean {
  const start = head.slice(0, headerLengthMax);
  return ssHeader.test(start) || netstatHeader.test(start) || kernelHeader.test(start);
}

interface Socket {
  readonly type: string;
  readonly state: string;
  readonly local: string;
  readonly peer: string;
}

/** Reads whichever table it is. */
export function readSockets(input: FormatInput): FileContent {
  const text = input.text();
  const start = text.slice(0, headerLengthMax);
  const read = ssHeader.test(start) ? ssLine : netstatHeader.test(start) ? netstatLine : kernelLine;
  const sockets = text.split("\n").flatMap((line) => read(line.trim()) ?? []);
  if (sockets.length === 0) {
    throw new EvidenceError("The table has no socket.", {
      expected: "one socket on each line below the header",
      where: "line 2, column 1",
    });
  }
  const listening = new Set(
    sockets.filter(({ state }) => state === "LISTEN").map(({ local }) => portOf(local)),
  );
  const table = new ResourceTable();
  for (const { type, state, local, peer } of sockets) {
    // A connection to a port that this side listens at was opened by a client.
    const isServed = listening.has(portOf(local)) || state === "LISTEN";
    const target = isServed ? `:${portOf(local)} (served)` : peerOf(local, peer).target;
    table.add({ type, state, ...(target === undefined ? {} : { target }) });
  }
  const content: ResourcesContent = {
    kind: "resources",
    recording: nameRecording(input),
    of: "sockets",
    isOfProcess: false,
    held: table.held(),
    figures: {},
  };
  return { contents: [content], notes: [] };
}

/** The other end of a connection, by which connections are one thing. */
export function peerOf(local: string, peer: string): { readonly target?: string } {
  if (peer === "" || /[:.]\*$|^\*/.test(peer)) return { target: `:${portOf(local)} (served)` };
  return { target: peer.replace(/^\[?::ffff:/i, "").replaceAll(/[[\]]/g, "") };
}

function portOf(address: string): string {
  return /[:.](\w+|\*)$/.exec(address)?.[1] ?? "";
}

const states: readonly string[] = [
  "",
  "ESTAB",
  "SYN-SENT",
  "SYN-RECV",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "TIME-WAIT",
  "CLOSED",
  "CLOSE-WAIT",
  "LAST-ACK",
  "LISTEN",
  "CLOSING",
];
const known: ReadonlySet<string> = new Set([...states, "UNCONN"]);

/** One name for each state, whatever tool printed it. */
function stateOf(printed: string): string {
  const state = printed.toUpperCase().replaceAll("_", "-");
  const same: Readonly<Record<string, string>> = {
    ESTABLISHED: "ESTAB",
    "FIN-WAIT1": "FIN-WAIT-1",
    "FIN-WAIT2": "FIN-WAIT-2",
    CLOSE: "CLOSED",
    LISTENING: "LISTEN",
  };
  return same[state] ?? state;
}

function ssLine(line: string): Socket | undefined {
  const words = line.split(/\s+/);
  const at = words.findIndex((word) => known.has(stateOf(word)) && word !== "");
  if (at < 0 || at > 1 || words.length < at + 5) return undefined;
  const type = at === 1 ? (words[0] ?? "tcp") : "tcp";
  if (!/^(?:tcp|udp|mptcp|sctp)$/.test(type)) return undefined;
  return {
    type,
    state: stateOf(words[at] ?? ""),
    local: words[at + 3] ?? "",
    peer: words[at + 4] ?? "",
  };
}

function netstatLine(line: string): Socket | undefined {
  const [type = "", , , local = "", peer = "", state = ""] = line.split(/\s+/);
  if (!/^(?:tcp|tcp4|tcp6|tcp46)$/.test(type) || !known.has(stateOf(state)) || state === "")
    return undefined;
  return { type: "tcp", state: stateOf(state), local, peer };
}

function kernelLine(line: string): Socket | undefined {
  const match =
    /^\d+:\s+([0-9A-F]{8,32}):([0-9A-F]{4})\s+([0-9A-F]{8,32}):([0-9A-F]{4})\s+([0-9A-F]{2})\s/i.exec(
      line,
    );
  if (match === null) return undefined;
  const [, local = "", localPort = "", peer = "", peerPort = "", state = ""] = match;
  const name = states[Number.parseInt(state, 16)];
  if (name === undefined || name === "") return undefined;
  return {
    type: "tcp",
    state: name,
    local: `${addressOf(local)}:${Number.parseInt(localPort, 16)}`,
    peer: `${addressOf(peer)}:${Number.parseInt(peerPort, 16)}`,
  };
}

/** The kernel writes addresses as words of the machine, which is nearly always little-endian. */
function addressOf(hexadecimal: string): string {
  const last = hexadecimal.slice(-8);
  const isVersion4 =
    hexadecimal.length === 8 ||
    /^0{16}0000FFFF/i.test(hexadecimal) ||
    /^0{16}FFFF0000/i.test(hexadecimal);
  if (!isVersion4) return hexadecimal.toLowerCase();
  const bytes = last.match(/../g) ?? [];
  return bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".");
}
