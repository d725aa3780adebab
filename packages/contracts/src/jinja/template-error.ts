/** Why a template could not be rendered. */

export type TemplateErrorKind =
  /** The template is not well formed. */
  | "syntax"
  /** A block or a comment does not end. */
  | "unclosed"
  /** It uses what this subset does not have, which says nothing of the template. */
  | "unsupported"
  /** It asked for this itself, by `raise_exception`. */
  | "raised"
  /** It failed while it was rendered. */
  | "failed"
  /** It took more steps, or made more text, than it may. */
  | "bounded";

/** Thrown by `parseTemplate` and `renderTemplate`, and nothing else is. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  readonly kind: TemplateErrorKind;

  constructor(kind: TemplateErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
