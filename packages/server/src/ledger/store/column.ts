/**
 * One column of a batch as one parameter: an array in PostgreSQL's binary form (`array_recv`), which is written down as values
 * come. Thousands of small texts would live until the batch is written, and the collector would carry them along.
 */

/** The types of elements, by their ids in `pg_type`. */
const elementTypes = { boolean: 16, int8: 20, int4: 23, text: 25 } as const;

const headerLength = 20;
const firstCapacity = 4_096;
/** No character of a text takes more bytes in UTF-8 for each of its UTF-16 units. */
const bytesPerUnitMax = 3;

abstract class ArrayColumn {
  readonly #elementType: number;
  #bytes: Buffer;
  #view: DataView;
  #length = headerLength;
  #count = 0;

  constructor(elementType: number) {
    this.#elementType = elementType;
    this.#bytes = Buffer.allocUnsafeSlow(firstCapacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The parameter. Nothing is added after that. */
  toParameter(): Buffer {
    const isEmpty = this.#count === 0;
    this.#view.setInt32(0, isEmpty ? 0 : 1);
    this.#view.setInt32(4, 0);
    this.#view.setInt32(8, this.#elementType);
    this.#view.setInt32(12, this.#count);
    this.#view.setInt32(16, 1);
    return this.#bytes.subarray(0, isEmpty ? 12 : this.#length);
  }

  /** Makes room for one more element of at most this many bytes. */
  protected begin(lengthMax: number): void {
    const needed = this.#length + 4 + lengthMax;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
  }

  protected get bytes(): Buffer {
    return this.#bytes;
  }

  protected get view(): DataView {
    return this.#view;
  }

  /** Where the bytes of the element that was begun stand. */
  protected get offset(): number {
    return this.#length + 4;
  }

  protected end(length: number): void {
    this.#view.setInt32(this.#length, length);
    this.#length += 4 + length;
    this.#count += 1;
  }
}

/** Texts without NUL. */
export class TextColumn extends ArrayColumn {
  constructor() {
    super(elementTypes.text);
  }

  add(value: string): void {
    this.begin(value.length * bytesPerUnitMax);
    this.end(this.bytes.write(value, this.offset));
  }
}

/** Amounts, times and sequence numbers. */
export class Int64Column extends ArrayColumn {
  constructor() {
    super(elementTypes.int8);
  }

  add(value: bigint): void {
    this.begin(8);
    this.view.setBigInt64(this.offset, value);
    this.end(8);
  }

  /** A whole number that a double holds exactly. */
  addNumber(value: number): void {
    this.begin(8);
    this.view.setInt32(this.offset, Math.floor(value / 2 ** 32));
    this.view.setUint32(this.offset + 4, value % 2 ** 32);
    this.end(8);
  }
}

/** Counts and places. */
export class Int32Column extends ArrayColumn {
  constructor() {
    super(elementTypes.int4);
  }

  add(value: number): void {
    this.begin(4);
    this.view.setInt32(this.offset, value);
    this.end(4);
  }
}

export class BooleanColumn extends ArrayColumn {
  constructor() {
    super(elementTypes.boolean);
  }

  add(value: boolean): void {
    this.begin(1);
    this.view.setUint8(this.offset, value ? 1 : 0);
    this.end(1);
  }
}

export type BatchColumn = TextColumn | Int64Column | Int32Column | BooleanColumn;
