/** Where capacity comes from: nodes, each with devices of one kind. */

/** A machine that jobs run on. Counts are whole numbers. */
export interface ComputeNode {
  readonly id: string;
  readonly region: string;
  readonly deviceKind: string;
  readonly deviceCount: number;
  readonly cpuCores: number;
  readonly memoryGigabytes: number;
}

/** Tells which nodes there are. */
export interface CapacityProvider {
  /** All nodes that jobs may run on now. Rejects with the signal's reason when it aborts. */
  listNodes(signal: AbortSignal): Promise<readonly ComputeNode[]>;
}

/** Nodes that the configuration names, for as long as the process runs. */
export function staticCapacity(nodes: readonly ComputeNode[]): CapacityProvider {
  return {
    async listNodes(signal) {
      signal.throwIfAborted();
      return nodes;
    },
  };
}
