/** Reads lists of open descriptors: `ls -l /proc/PID/fd` and `lsof`. */

import type { ResourcesContent } from "../../model/resources.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { ResourceTable } from "./resource-table.ts";
import { peerOf } from "./socket-tables.ts";

/** `lrwx------ 1 root root 64 Nov 28 02:10 7 -> socket:[48251]` */
const linkLine = /^[lr][rwx-]{9}[.+@]? .{1,200}? (?:\S*\/)?(\d{1,7}) -> (\S.*)$/;
const lsofHeader = /^COMMAND\s+PID\s.*\bFD\s+TYPE\s.*\bNAME\s*$/m;

/** Whether a text is what `ls -l` of a process's descriptors prints. */
export function recogniseDescriptors(head: string): boolean {
  const lines = head.split("\n", 40).filter((line) => line.trim() !== "");
  const links = lines.filter((line) => linkLine.test(line.trimEnd()));
  const isAboutDescriptors = links.some((line) =>
    / -> (?:socket:\[|pipe:\[|anon_inode:|\/dev\/)/.test(line),
  );
  return links.length >= 2 && isAboutDescriptors && links.length >= 0.6 * (lines.length - 2);
}

/** Whether a text is what `lsof` prints. */
export function recogniseLsof(head: string): boolean {
  return lsofHeader.test(head.slice(0, headerLengthMax));
}

const headerLengthMax = 4_096;

/** Reads what `ls -l` printed. */
export function readDescriptors(input: FormatInput): FileContent {
  const table = new ResourceTable();
  for (const line of input.text().split("\n")) {
    const target = linkLine.exec(line.trimEnd())?.[2];
    if (target !== undefined) table.add(linkTarget(target));
  }
  return content(table, input, true);
}

function linkTarget(target: string): { type: string; target?: string; state?: string } {
  if (target.startsWith("socket:[")) return { type: "socket" };
  if (target.startsWith("pipe:[")) return { type: "pipe" };
  const anonymous = /^anon_inode:\[?([\w-]+)/.exec(target)?.[1];
  if (anonymous !== undefined) return { type: anonymous };
  if (target.startsWith("/dev/")) return { type: "device", target };
  const path = target.replace(/ \(deleted\)$/, "");
  return {
    type: "file",
    target: withoutNumbers(path),
    ...(path === target ? {} : { state: "deleted" }),
  };
}

/** A path by which files of one kind are one thing. */
function withoutNumbers(path: string): string {
  return path.replaceAll(/[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,}){0,4}|\d+/g, "*");
}

const lsofTypes: ReadonlyMap<string, string> = new Map([
  ["REG", "file"],
  ["DIR", "directory"],
  ["CHR", "device"],
  ["FIFO", "pipe"],
  ["IPv4", "socket"],
  ["IPv6", "socket"],
  ["unix", "unix socket"],
  ["sock", "socket"],
]);

/** Reads what `lsof` printed; what is mapped or only where the process stands is no descriptor. */
export function readLsof(input: FormatInput): FileContent {
  const table = new ResourceTable();
  const processes = new Set<string>();
  const lines = input.text().split("\n");
  const first = lines.findIndex((line) => lsofHeader.test(line));
  const columns = (lines[first] ?? "").trim().split(/\s+/);
  const [pidAt, typeAt] = [columns.indexOf("PID"), columns.indexOf("TYPE")];
  for (const line of lines.slice(first + 1)) {
    const words = line.trim().split(/\s+/);
    const offset = words.findIndex(
      (word, index) =>
        index > pidAt && /^\d{1,7}[rwu]?[A-Za-z -]?$/.test(word) && isType(words[index + 1]),
    );
    if (offset < 0 || typeAt < 0) continue;
    processes.add(words[pidAt] ?? "");
    const type = words[offset + 1] ?? "";
    const name = nameOfLsof(line, type);
    const kind = lsofTypes.get(type) ?? type.toLowerCase();
    if (kind === "socket") table.add({ ...peerIn(name), type: "tcp" });
    else if (kind === "file") {
      const path = name.replace(/ \(deleted\)$/, "");
      const state = path === name ? {} : { state: "deleted" };
      table.add({ type: "file", target: withoutNumbers(path), ...state });
    } else table.add({ type: kind });
  }
  return content(table, input, processes.size === 1);
}

function isType(word: string | undefined): boolean {
  return (
    word !== undefined &&
    /^(?:REG|DIR|CHR|FIFO|IPv[46]|unix|sock|a_inode|netlink|pack|raw|unknown|KQUEUE|PIPE|systm|BLK)$/.test(
      word,
    )
  );
}

function nameOfLsof(line: string, type: string): string {
  const network = /(?:TCP|UDP) .*$/.exec(line)?.[0];
  if (network !== undefined && type.startsWith("IPv")) return network;
  return /(?:\/.*|\S+)$/.exec(line.trim())?.[0] ?? "";
}

/** `TCP 10.0.0.1:51000->10.0.0.9:5432 (ESTABLISHED)` */
function peerIn(name: string): { target?: string; state?: string } {
  const state = /\(([A-Z_\d]+)\)/.exec(name)?.[1];
  const ends = /(?:TCP|UDP) (\S+?)(?:->(\S+))?(?: |$)/.exec(name);
  return {
    ...(ends === null ? {} : peerOf(ends[1] ?? "", ends[2] ?? "")),
    ...(state === undefined
      ? {}
      : { state: state.replace(/^ESTABLISHED$/, "ESTAB").replaceAll("_", "-") }),
  };
}

function content(table: ResourceTable, input: FormatInput, isOfProcess: boolean): FileContent {
  if (table.isEmpty) {
    throw new EvidenceError("The listing has no descriptor.", {
      expected: "one descriptor on each line",
      where: "line 1, column 1",
    });
  }
  const made: ResourcesContent = {
    kind: "resources",
    recording: nameRecording(input),
    of: "descriptors",
    isOfProcess,
    held: table.held(),
    figures: {},
  };
  return { contents: [made], notes: [] };
}
