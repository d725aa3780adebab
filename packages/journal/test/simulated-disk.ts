/**
 * A disk in memory that keeps apart what a process sees and what would survive a loss of power. What was written but
 * not synced survives in part, by sectors and in any order; so do names whose folder was not synced. It can be full,
 * fail its n-th effect, and stop dead at it.
 */

import { dirname } from "node:path";

import {
  type FileMode,
  JournalError,
  type JournalFile,
  type JournalFileSystem,
} from "../src/index.ts";

const sectorBytes = 512;

/** Chance as this disk needs it. */
export interface Chance {
  /** A uniformly distributed integer in `[0, bound)`. */
  integer(bound: number): number;
}

/** What happens at one effect, instead of the effect. */
export type Fault =
  /** The system call fails and has done nothing; a failed sync loses what it should have kept. */
  | { readonly kind: "error"; readonly code: string }
  /** A write takes only a part and says so. */
  | { readonly kind: "short" }
  /** The power goes: nothing after this works, until `survivor` is asked for. */
  | { readonly kind: "power-loss" };

/** What changes a disk. */
export type EffectKind =
  | "create"
  | "write"
  | "truncate"
  | "sync"
  | "rename"
  | "remove"
  | "sync-folder";

interface Change {
  readonly offset: number;
  /** Bytes written, or absent where the file was cut at `offset`. */
  readonly bytes?: Uint8Array;
}

interface Inode {
  durable: Uint8Array;
  /** What the process reads. */
  seen: Uint8Array;
  /** Not yet synced, in order. */
  changes: Change[];
}

type NameChange =
  | { readonly kind: "put"; readonly path: string; readonly inode: Inode }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string };

export class SimulatedDisk implements JournalFileSystem {
  /** The effects so far: creations, writes, cuts, syncs, renames and removals, on files and folders. */
  effectCount = 0;
  /** What happens at the effect of a number, counted from 1. */
  readonly faults = new Map<number, Fault>();
  /** What happens at the next effect of a kind, once. */
  readonly faultsByKind = new Map<EffectKind, Fault>();
  /** All files together hold no more than this. */
  capacityBytes = Number.POSITIVE_INFINITY;
  readonly #durableNames: Map<string, Inode>;
  readonly #names: Map<string, Inode>;
  #nameChanges: NameChange[] = [];
  #isLocked = false;
  #isDead = false;

  constructor(names: ReadonlyMap<string, Inode> = new Map()) {
    this.#durableNames = new Map(names);
    this.#names = new Map(names);
  }

  /** A disk that holds these files durably. */
  static of(files: ReadonlyMap<string, Uint8Array>): SimulatedDisk {
    return new SimulatedDisk(
      new Map([...files].map(([path, bytes]) => [path, inodeOf(Uint8Array.from(bytes))])),
    );
  }

  /** What a process sees, by path. */
  files(): Map<string, Uint8Array> {
    return new Map([...this.#names].map(([path, { seen }]) => [path, Uint8Array.from(seen)]));
  }

  /** What would be there if the power went now and nothing unsynced survived. */
  durableFiles(): Map<string, Uint8Array> {
    return new Map(
      [...this.#durableNames].map(([path, { durable }]) => [path, Uint8Array.from(durable)]),
    );
  }

  /** The disk after the power went: chance says what of the unsynced survived. This one is dead from then on. */
  survivor(chance: Chance): SimulatedDisk {
    this.#isDead = true;
    const names = new Map(this.#durableNames);
    for (const change of this.#nameChanges) {
      if (chance.integer(2) === 0) applyName(names, change);
    }
    return SimulatedDisk.of(
      new Map([...names].map(([path, inode]) => [path, surviving(inode, chance)])),
    );
  }

  /** The same disk after the process ended: all that it wrote is seen by the next, synced or not. */
  afterProcess(): SimulatedDisk {
    this.#isLocked = false;
    return this;
  }

  async makeFolder(): Promise<void> {
    await this.#turn();
  }

  async list(folder: string): Promise<readonly string[]> {
    await this.#turn();
    return [...this.#names.keys()]
      .filter((path) => dirname(path) === folder)
      .map((path) => path.slice(folder.length + 1));
  }

  async open(path: string, mode: FileMode): Promise<JournalFile> {
    await this.#turn();
    let inode = this.#names.get(path);
    if (mode === "create") {
      this.#effect("create");
      if (inode !== undefined) throw systemError("EEXIST");
      inode = inodeOf(new Uint8Array(0));
      this.#names.set(path, inode);
      this.#nameChanges.push({ kind: "put", path, inode });
    }
    if (inode === undefined) throw systemError("ENOENT");
    return this.#fileOf(inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn();
    this.#effect("rename");
    this.#changeName({ kind: "rename", from, to });
  }

  async remove(path: string): Promise<void> {
    await this.#turn();
    this.#effect("remove");
    if (!this.#names.has(path)) throw systemError("ENOENT");
    this.#changeName({ kind: "remove", path });
  }

  async syncFolder(folder: string): Promise<void> {
    await this.#turn();
    this.#effect("sync-folder");
    const isInFolder = (change: NameChange): boolean => dirname(pathOf(change)) === folder;
    for (const change of this.#nameChanges.filter(isInFolder)) {
      applyName(this.#durableNames, change);
    }
    this.#nameChanges = this.#nameChanges.filter((change) => !isInFolder(change));
  }

  async lock(): Promise<AsyncDisposable> {
    await this.#turn();
    if (this.#isLocked) throw new JournalError("journal_locked", "There is a writer.");
    this.#isLocked = true;
    return {
      [Symbol.asyncDispose]: async () => {
        this.#isLocked = false;
      },
    };
  }

  #fileOf(inode: Inode): JournalFile {
    return {
      size: async () => {
        await this.#turn();
        return inode.seen.length;
      },
      read: async (into, offset) => {
        await this.#turn();
        const bytes = inode.seen.subarray(offset, offset + into.length);
        into.set(bytes);
        return bytes.length;
      },
      write: async (bytes, offset) => await this.#write(inode, Uint8Array.from(bytes), offset),
      truncate: async (length) => {
        await this.#turn();
        this.#effect("truncate");
        change(inode, { offset: length });
      },
      sync: async () => {
        await this.#turn();
        try {
          this.#effect("sync");
        } catch (error) {
          // As on Linux: what could not be written back counts as clean, and no later sync keeps it.
          if (!this.#isDead) inode.changes = [];
          throw error;
        }
        inode.durable = inode.changes.reduce(apply, inode.durable);
        inode.changes = [];
      },
      close: async () => await Promise.resolve(),
    };
  }

  async #write(inode: Inode, bytes: Uint8Array, offset: number): Promise<number> {
    await this.#turn();
    const fault = this.faults.get(this.effectCount + 1) ?? this.faultsByKind.get("write");
    if (fault?.kind === "power-loss") change(inode, { offset, bytes });
    this.#effect("write");
    const used = [...this.#names.values()].reduce((total, { seen }) => total + seen.length, 0);
    const growth = Math.max(0, offset + bytes.length - inode.seen.length);
    const excess = Math.max(0, used + growth - this.capacityBytes);
    const taken = fault?.kind === "short" ? Math.ceil(bytes.length / 2) : bytes.length - excess;
    if (taken <= 0) throw systemError("ENOSPC");
    change(inode, { offset, bytes: bytes.subarray(0, taken) });
    return taken;
  }

  #changeName(change: NameChange): void {
    applyName(this.#names, change);
    this.#nameChanges.push(change);
  }

  /** Every call is asynchronous, as on a real disk, so that calls interleave. */
  async #turn(): Promise<void> {
    await Promise.resolve();
    if (this.#isDead) throw systemError("EIO");
  }

  #effect(kind: EffectKind): void {
    this.effectCount += 1;
    const fault = this.faults.get(this.effectCount) ?? this.faultsByKind.get(kind);
    this.faultsByKind.delete(kind);
    if (fault?.kind === "power-loss") this.#isDead = true;
    if (fault?.kind === "error") throw systemError(fault.code);
    if (this.#isDead) throw systemError("EIO");
  }
}

function inodeOf(bytes: Uint8Array): Inode {
  return { durable: bytes, seen: bytes, changes: [] };
}

function change(inode: Inode, made: Change): void {
  inode.seen = apply(inode.seen, made);
  inode.changes.push(made);
}

function apply(content: Uint8Array, { offset, bytes }: Change): Uint8Array {
  if (bytes === undefined) {
    const cut = new Uint8Array(offset);
    cut.set(content.subarray(0, offset));
    return cut;
  }
  const grown = new Uint8Array(Math.max(content.length, offset + bytes.length));
  grown.set(content);
  grown.set(bytes, offset);
  return grown;
}

/** What is left of a file: of every unsynced write any sectors, of every unsynced cut chance decides. */
function surviving(inode: Inode, chance: Chance): Uint8Array {
  let content = inode.durable;
  for (const { offset, bytes } of inode.changes) {
    const fate = chance.integer(4);
    if (fate === 0) continue;
    if (bytes === undefined) {
      content = apply(content, { offset });
      continue;
    }
    if (fate === 1) {
      content = apply(content, { offset, bytes });
      continue;
    }
    if (fate === 2) {
      // The file ends anywhere within the write.
      content = apply(content, {
        offset,
        bytes: bytes.subarray(0, chance.integer(bytes.length + 1)),
      });
      continue;
    }
    // Sectors reach the disk in any order; those that did not read as they were, or as zeros.
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + sectorBytes - ((offset + start) % sectorBytes));
      if (chance.integer(2) === 0) {
        content = apply(content, { offset: offset + start, bytes: bytes.subarray(start, end) });
      }
      start = end;
    }
  }
  return content;
}

function pathOf(change: NameChange): string {
  return change.kind === "rename" ? change.to : change.path;
}

function applyName(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === "put") names.set(change.path, change.inode);
  else if (change.kind === "remove") names.delete(change.path);
  else {
    const inode = names.get(change.from);
    // A rename whose file never got its first name has nothing to move.
    if (inode === undefined) return;
    names.delete(change.from);
    names.set(change.to, inode);
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
