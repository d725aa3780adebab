/** How much Kubernetes text is read at once, and the marks that text leaves on objects. */

/** Limits of one text. */
export const kubernetesLimits = {
  /** Characters of a JSON text; the platform's own parser is fast. */
  jsonLengthMax: 512 * 1024 * 1024,
  /** Characters of one object, or of what stands around a list, in a JSON text that is read as it comes in. */
  partLengthMax: 256 * 1024 * 1024,
  /** Characters of a YAML text; its parser builds a tree of many times that size. */
  yamlLengthMax: 32 * 1024 * 1024,
  /** Nesting of objects and arrays. */
  depthMax: 100,
  documentCountMax: 200_000,
  objectCountMax: 200_000,
  /** How often anchors may be repeated: what stops a document that unfolds into billions. */
  aliasCountMax: 1_000,
  /** Rows of one table and lines of one description. */
  lineCountMax: 500_000,
  noteCountMax: 50,
} as const;

/**
 * The field that a reader adds to an object which was parsed from text for people. In it stand `readFrom`, the command
 * that printed the text, and `unknown`, the paths of fields that such text cannot tell: where they are absent, they are
 * unknown, not empty.
 */
export const textMarkField = "faultlineText";

/** Collects notes up to the limit, each once. */
export class Notes {
  readonly #notes = new Set<string>();

  add(note: string): void {
    if (this.#notes.size < kubernetesLimits.noteCountMax) this.#notes.add(note);
  }

  list(): string[] {
    return [...this.#notes];
  }
}
