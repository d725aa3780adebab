/** The nodes of one device kind in one region, found by how many devices each has free. */

import { assert } from "#kernel/index.ts";

import type { JobShape } from "./job-shape.ts";
import { addMembers, membersThatFit, type NodeState, type Seat } from "./node-state.ts";

const bitsPerWord = 32;

export class RegionNodes {
  readonly name: string;
  readonly nodes: readonly NodeState[];
  /** For each count of free devices a set of bits, one for each node, so that nodes come in one fixed order. */
  readonly #nodesByFree: readonly Uint32Array[];
  readonly #nodeCountByFree: Int32Array;

  /** `nodes` are in the order of their ids. */
  constructor(name: string, nodes: readonly NodeState[]) {
    this.name = name;
    this.nodes = nodes;
    const deviceCountMax = Math.max(0, ...nodes.map(({ node }) => node.deviceCount));
    const wordCount = Math.ceil(nodes.length / bitsPerWord);
    this.#nodesByFree = Array.from(
      { length: deviceCountMax + 1 },
      () => new Uint32Array(wordCount),
    );
    this.#nodeCountByFree = new Int32Array(deviceCountMax + 1);
    nodes.forEach((state, index) => {
      state.index = index;
      this.#flip(state, 1);
    });
  }

  /** Takes place for members of a job, or gives it back when `memberCount` is negative. */
  take(state: NodeState, shape: JobShape, memberCount: number): void {
    const { member, groupKey } = shape;
    this.#flip(state, -1);
    addMembers(state.free, member, -memberCount);
    const { deviceCount, cpuCores, memoryGigabytes } = state.free;
    assert(
      deviceCount >= 0 && cpuCores >= 0 && memoryGigabytes >= 0,
      "no more is taken from a node than it has",
    );
    this.#flip(state, 1);
    if (groupKey === undefined) return;
    const groupMemberCount = (state.groupMemberCounts.get(groupKey) ?? 0) + memberCount;
    if (groupMemberCount === 0) state.groupMemberCounts.delete(groupKey);
    else state.groupMemberCounts.set(groupKey, groupMemberCount);
  }

  /** How many members of a shape all nodes together hold now. */
  slotCountOf(shape: JobShape): number {
    let slotCount = 0;
    for (const state of this.nodes) slotCount += membersThatFit(state, shape);
    return slotCount;
  }

  /** Whether free devices alone leave place for a shape: what this refuses, no placement can find. */
  mayHold(shape: JobShape): boolean {
    const { deviceCount } = shape.member;
    let slotCount = 0;
    for (let free = deviceCount; free < this.#nodeCountByFree.length; free += 1) {
      const slots = shape.distinctNodes ? 1 : Math.floor(free / deviceCount);
      slotCount += slots * (this.#nodeCountByFree[free] ?? 0);
      if (slotCount >= shape.memberCount) return true;
    }
    return false;
  }

  /**
   * Seats for all members, or `undefined`. `membersOn` says how many a node takes. A single member gets the fullest node
   * that holds it, so that large free nodes stay whole; a gang gets the emptiest, so that it stands on few.
   */
  findSeats(
    shape: JobShape,
    membersOn: (state: NodeState) => number = (state) => membersThatFit(state, shape),
  ): Seat[] | undefined {
    if (!this.mayHold(shape)) return undefined;
    const seats: Seat[] = [];
    let missing = shape.memberCount;
    const visit = (state: NodeState): boolean => {
      const memberCount = Math.min(missing, membersOn(state));
      if (memberCount > 0) seats.push({ state, memberCount });
      missing -= Math.max(0, memberCount);
      return missing > 0;
    };
    const freeMin = shape.member.deviceCount;
    const freeMax = this.#nodesByFree.length - 1;
    if (shape.memberCount === 1) {
      for (let free = freeMin; free <= freeMax; free += 1) if (!this.#visit(free, visit)) break;
    } else {
      for (let free = freeMax; free >= freeMin; free -= 1) if (!this.#visit(free, visit)) break;
    }
    return missing === 0 ? seats : undefined;
  }

  /** Visits the nodes with so many free devices until one visit says false. */
  #visit(free: number, visit: (state: NodeState) => boolean): boolean {
    if (this.#nodeCountByFree[free] === 0) return true;
    const words = this.#nodesByFree[free] ?? [];
    for (let at = 0; at < words.length; at += 1) {
      let word = words[at] ?? 0;
      while (word !== 0) {
        const bit = bitsPerWord - 1 - Math.clz32(word & -word);
        const state = this.nodes[at * bitsPerWord + bit];
        assert(state !== undefined, "every bit stands for a node");
        if (!visit(state)) return false;
        word &= word - 1;
      }
    }
    return true;
  }

  #flip({ index, free }: NodeState, change: 1 | -1): void {
    const freeDeviceCount = free.deviceCount;
    const words = this.#nodesByFree[freeDeviceCount];
    assert(words !== undefined, "a node has no more free devices than devices");
    const at = Math.floor(index / bitsPerWord);
    words[at] = (words[at] ?? 0) ^ (1 << (index % bitsPerWord));
    this.#nodeCountByFree[freeDeviceCount] = (this.#nodeCountByFree[freeDeviceCount] ?? 0) + change;
  }
}
