/** The grammar of a JSON number, one byte at a time. */

/** The first state of a number; states below it belong to the scanner. */
export const inNumber = 11;
const afterMinus = 11;
const afterZero = 12;
const inInteger = 13;
const afterPoint = 14;
const inFraction = 15;
const afterExponent = 16;
const afterExponentSign = 17;
const inExponent = 18;

/** The state after the first byte of a number, which is a minus or a digit. */
export function firstNumberState(byte: number): number {
  return byte === 0x2d ? afterMinus : byte === 0x30 ? afterZero : inInteger;
}

/** The state after the next byte, or `undefined` when the byte does not belong to the number. */
export function nextNumberState(state: number, byte: number): number | undefined {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  switch (state) {
    case afterMinus:
      return byte === 0x30 ? afterZero : isDigit ? inInteger : undefined;
    case afterZero:
    case inInteger:
      if (isDigit) return state === inInteger ? inInteger : undefined;
      return byte === 0x2e ? afterPoint : isExponent(byte) ? afterExponent : undefined;
    case afterPoint:
      return isDigit ? inFraction : undefined;
    case inFraction:
      return isDigit ? inFraction : isExponent(byte) ? afterExponent : undefined;
    case afterExponent:
      if (byte === 0x2b || byte === 0x2d) return afterExponentSign;
      return isDigit ? inExponent : undefined;
    default:
      return isDigit ? inExponent : undefined;
  }
}

/** Whether a number may end in this state. */
export function numberMayEnd(state: number): boolean {
  return state === afterZero || state === inInteger || state === inFraction || state === inExponent;
}

function isExponent(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}
