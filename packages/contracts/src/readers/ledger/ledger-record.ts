/** Fields of a record of money, read exactly: what does not fit is refused with its place, never skipped or rounded. */

import type { Fields } from "../../model/fields.ts";
import { ledgerEvidenceLimits } from "../../model/ledger.ts";
import { EvidenceError } from "../evidence-error.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";

const { nameLengthMax } = ledgerEvidenceLimits;
/** Digits of an amount. */
const digitCountMax = 40;
const microsPattern = new RegExp(`^[+-]?\\d{1,${digitCountMax}}$`);
/** Micros are what six decimals can say. */
const unitsPattern = /^([+-]?)(\d{1,30})(?:\.(\d{0,6})0*)?$/;

export class LedgerRecord {
  readonly #fields: Fields;
  readonly #where: string;

  constructor(fields: Fields, where: string) {
    this.#fields = fields;
    this.#where = where;
  }

  has(name: string): boolean {
    const value = this.#fields[name];
    return value !== undefined && value !== null && value !== "";
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string" || value === "") throw this.#fault(name, "a text");
    if (value.length > nameLengthMax)
      throw this.#fault(name, `a text of at most ${nameLengthMax} characters`);
    return value.toWellFormed();
  }

  /** A whole number of micros, as JSON spells it or as text. */
  micros(name: string): string {
    const value = this.#fields[name];
    if (typeof value === "string" && microsPattern.test(value)) return String(BigInt(value));
    if (typeof value === "number" && Number.isSafeInteger(value)) return String(BigInt(value));
    throw this.#fault(name, "a whole number of micros");
  }

  /** An amount in units with up to six decimals. */
  units(name: string): string {
    const value = this.#fields[name];
    const match = unitsPattern.exec(typeof value === "string" ? value : "");
    if (match === null) throw this.#fault(name, "an amount with at most six decimals");
    const [, sign = "", whole = "", decimals = ""] = match;
    const micros = BigInt(whole + decimals.padEnd(6, "0"));
    return String(sign === "-" ? -micros : micros);
  }

  /** A moment, in microseconds since 1970. */
  time(name: string): number {
    const value = this.#fields[name];
    const micros =
      typeof value === "number"
        ? timeOfNumber(value)
        : typeof value === "string"
          ? timeOfText(value)
          : undefined;
    if (micros === undefined || !Number.isFinite(micros) || micros < 0)
      throw this.#fault(name, "a date and a time");
    return micros;
  }

  count(name: string): number {
    const value = this.#fields[name];
    const count = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0)
      throw this.#fault(name, "a count");
    return count;
  }

  /** A number that is no amount of money. */
  quantity(name: string): number {
    const value = this.#fields[name];
    const number = typeof value === "string" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number) || number < 0)
      throw this.#fault(name, "a number that is not negative");
    return number;
  }

  truth(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== "boolean") throw this.#fault(name, "true or false");
    return value;
  }

  /** A record within this one. */
  record(name: string): LedgerRecord {
    const value = this.#fields[name];
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.#fault(name, "an object");
    // An object that is no list has fields.
    return new LedgerRecord(value as Fields, `${this.#where}, ${name}`);
  }

  /** What a field says, under another name, where it is there. */
  given<Name extends string, Value>(
    field: string,
    name: Name,
    read: (record: LedgerRecord, field: string) => Value,
  ): { readonly [key in Name]?: Value } {
    if (!this.has(field)) return {};
    // The one field has this name.
    return { [name]: read(this, field) } as { readonly [key in Name]?: Value };
  }

  #fault(name: string, expected: string): EvidenceError {
    return new EvidenceError(`The field ${name} of the ledger's record is not what it should be.`, {
      expected: `${expected} in ${name}`,
      where: this.#where,
    });
  }
}
