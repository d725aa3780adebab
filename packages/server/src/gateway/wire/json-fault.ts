/** Why bytes are no JSON document, and at which of them. */

/** Why a document was refused, and at which byte. */
export class JsonFault extends Error {
  override readonly name = "JsonFault";
  readonly kind: "syntax" | "depth" | "truncated";
  readonly offset: number;

  constructor(kind: JsonFault["kind"], offset: number, message: string) {
    super(message);
    this.kind = kind;
    this.offset = offset;
  }
}

/** The fault of a byte that is none of those which may stand here. */
export function syntaxFault(offset: number, expected: string): JsonFault {
  return new JsonFault(
    "syntax",
    offset,
    `The JSON is malformed at byte ${offset}: expected ${expected}.`,
  );
}
