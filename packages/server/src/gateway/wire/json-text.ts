/** The grammar of a JSON text between its quotes, one byte at a time. */

const quote = 0x22;
const backslash = 0x5c;
const firstPlain = 0x20;
const simpleEscapes = Buffer.from('"\\/bfnrt');

/** Bytes that mean themselves. */
const plain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= firstPlain && byte !== quote && byte !== backslash ? 1 : 0,
);

/** Where a run of bytes that mean themselves ends: at a quote, at a backslash, at what may not stand there, or at `end`. */
export function plainEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && plain[bytes[at] ?? 0] === 1) at += 1;
  return at;
}

/** Whether a backslash and this byte are a whole escape. */
export function isSimpleEscape(byte: number): boolean {
  return simpleEscapes.includes(byte);
}

/** Whether it may stand in an escape of four digits. */
export function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}
