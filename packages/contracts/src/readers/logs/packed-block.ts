/** Bytes that are seldom read, compressed where the runtime can do that at once: logs shrink to a fifth. */

interface NodeZlib {
  deflateRawSync(bytes: Uint8Array, options: { readonly level: number }): Uint8Array;
  inflateRawSync(bytes: Uint8Array): Uint8Array;
}

/** Node's own is ten times as fast as one in JavaScript, for which a browser keeps the bytes as they are. */
const zlib = (
  globalThis as { process?: { getBuiltinModule?: (name: "node:zlib") => NodeZlib } }
).process?.getBuiltinModule?.("node:zlib");

/** The fastest: higher ones take three times as long for a tenth less. */
const level = 1;

/** Bytes as `packBlock` keeps them. */
export interface PackedBlock {
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

/** Keeps a copy of bytes. */
export function packBlock(bytes: Uint8Array): PackedBlock {
  return zlib === undefined
    ? { bytes: bytes.slice(), isCompressed: false }
    : { bytes: zlib.deflateRawSync(bytes, { level }).slice(), isCompressed: true };
}

/** The bytes again. */
export function unpackBlock({ bytes, isCompressed }: PackedBlock): Uint8Array {
  return isCompressed && zlib !== undefined ? zlib.inflateRawSync(bytes) : bytes;
}
