/** The forms of fields that the schema of `faultline.yaml` is made of. */

import { type TSchema, Type } from "typebox";

/** Objects of the file hold no names but those of their schema. */
export const closed = { additionalProperties: false } as const;

/** A section, which may be left out. */
export function group<T extends Record<string, TSchema>>(fields: T) {
  return Type.Optional(Type.Object(fields, closed));
}

/** One of a few words. */
export function choice<const T extends string[]>(
  names: [...T],
  options: { default: T[number]; description: string },
) {
  return Type.Optional(
    Type.Union(
      names.map((name) => Type.Literal<T[number]>(name)),
      options,
    ),
  );
}

/** A whole number. */
export function whole(options: {
  minimum: number;
  maximum: number;
  default?: number;
  description: string;
}) {
  return Type.Optional(Type.Integer(options));
}

/** A text that is not empty. */
export function text(options: {
  description: string;
  default?: string;
  maxLength?: number;
  pattern?: string;
}) {
  return Type.Optional(Type.String({ minLength: 1, maxLength: 4_096, ...options }));
}
