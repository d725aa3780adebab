/** The three words of JSON. */

export interface JsonLiteral {
  readonly kind: "true" | "false" | "null";
  readonly bytes: Uint8Array;
}

const [isTrue, isFalse] = [literal("true"), literal("false")];
/** What stands for no value. */
export const isNull = literal("null");

/** The word that begins with this byte. */
export function literalOf(byte: number): JsonLiteral | undefined {
  return byte === 0x74 ? isTrue : byte === 0x66 ? isFalse : byte === 0x6e ? isNull : undefined;
}

function literal(kind: JsonLiteral["kind"]): JsonLiteral {
  return { kind, bytes: Buffer.from(kind) };
}
