/**
 * Text that the ledger can write down: PostgreSQL stores no lone surrogates and no NUL, and other control characters would be
 * taken for the space between two texts of a batch.
 */

// oxlint-disable-next-line no-control-regex -- these are what it looks for
const controlCharacter = /[\u0000-\u001f]/;
const everyControlCharacter = new RegExp(controlCharacter, "g");
const replacement = "\ufffd";

/** Whether a text can be written down as it is. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !controlCharacter.test(text);
}

/** The text with what cannot be written down replaced. */
export function toStorable(text: string): string {
  return text.toWellFormed().replaceAll(everyControlCharacter, replacement);
}
