/** The error of evidence that cannot be read: what was expected, and where it was not found. */

export interface EvidenceErrorOptions {
  /** What the reader wanted at this place, in a few words. */
  readonly expected: string;
  /** Where in the input the fault lies: a line and column, a byte offset, a JSON pointer, an entry of an archive. */
  readonly where?: string | undefined;
  /** `snapshot_corrupt` when content does not match its hash; otherwise the input is in no known form. */
  readonly code?: "evidence_unreadable" | "snapshot_corrupt";
  /** Nothing suggests that the input is evidence at all. */
  readonly isUnknownForm?: true;
  readonly cause?: unknown;
}

/** Thrown by readers and by the snapshot file. `code` is a code of the platform's error table. */
export class EvidenceError extends Error {
  override readonly name = "EvidenceError";
  readonly code: "evidence_unreadable" | "snapshot_corrupt";
  readonly expected: string;
  readonly where: string | undefined;
  readonly isUnknownForm: boolean;

  constructor(message: string, options: EvidenceErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "evidence_unreadable";
    this.expected = options.expected;
    this.where = options.where;
    this.isUnknownForm = options.isUnknownForm === true;
  }
}
