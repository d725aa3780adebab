/** Records that tell whether they are whole: a number, and bytes that follow from it. */

/** The record of a number; its length varies with it. */
export function numberedRecord(number: number): Uint8Array {
  const filler = String.fromCharCode(97 + (number % 26)).repeat((number * 7) % 300);
  return Buffer.from(`${number} ${filler}`, "latin1");
}

/** The number of a record. Throws when the record is not whole. */
export function numberOf(record: Uint8Array): number {
  const text = Buffer.from(record).toString("latin1");
  const number = Number(text.slice(0, text.indexOf(" ")));
  if (text !== Buffer.from(numberedRecord(number)).toString("latin1")) {
    throw new Error(`A record is not whole: ${JSON.stringify(text)}`);
  }
  return number;
}
