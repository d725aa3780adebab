/**
 * Fields of a header as type, length and value. Types ascend, so that none stands twice. A reader skips a type that it
 * does not know, unless the type's highest bit says that what it means must be understood.
 */

const fieldHeadBytes = 4;
const mustUnderstandBit = 0x8000;

/** A field as it is written; the value is at most 65,535 bytes long. */
export interface Field {
  readonly type: number;
  readonly value: Uint8Array;
}

export type FieldsOutcome =
  | { readonly kind: "fields"; readonly values: ReadonlyMap<number, Uint8Array> }
  | { readonly kind: "bad"; readonly reason: string }
  /** Written by a newer version, which says that a reader without it would go wrong. */
  | { readonly kind: "newer"; readonly reason: string };

/** The bytes of the fields, which must come in ascending order of type. */
export function encodeFields(fields: readonly Field[]): Uint8Array {
  const length = fields.reduce((total, { value }) => total + fieldHeadBytes + value.length, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const { type, value } of fields) {
    view.setUint16(offset, type, true);
    view.setUint16(offset + 2, value.length, true);
    bytes.set(value, offset + fieldHeadBytes);
    offset += fieldHeadBytes + value.length;
  }
  return bytes;
}

/** Reads fields that fill `bytes` exactly. `lengths` gives the length of each known type. */
export function decodeFields(
  bytes: Uint8Array,
  lengths: ReadonlyMap<number, number>,
): FieldsOutcome {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Map<number, Uint8Array>();
  let typeBefore = -1;
  let offset = 0;
  while (offset < bytes.length) {
    if (bytes.length - offset < fieldHeadBytes) return bad("a field is cut");
    const type = view.getUint16(offset, true);
    const length = view.getUint16(offset + 2, true);
    if (type <= typeBefore) return bad(`field ${type} stands after field ${typeBefore}`);
    typeBefore = type;
    offset += fieldHeadBytes;
    if (length > bytes.length - offset) return bad(`field ${type} is longer than its header`);
    const lengthKnown = lengths.get(type);
    if (lengthKnown === undefined && (type & mustUnderstandBit) !== 0) {
      return { kind: "newer", reason: `field ${type} must be understood and is not known` };
    }
    if (lengthKnown !== undefined && lengthKnown !== length) {
      return bad(`field ${type} has ${length} bytes instead of ${lengthKnown}`);
    }
    if (lengthKnown !== undefined) values.set(type, bytes.subarray(offset, offset + length));
    offset += length;
  }
  for (const type of lengths.keys()) {
    if (!values.has(type)) return bad(`field ${type} is missing`);
  }
  return { kind: "fields", values };
}

/** An unsigned number in eight bytes, least significant first. */
export function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** Reads what `encodeNumber` wrote; gives nothing when the number is beyond what JavaScript counts exactly. */
export function decodeNumber(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  return Number.isSafeInteger(value) ? value : undefined;
}

function bad(reason: string): FieldsOutcome {
  return { kind: "bad", reason };
}
