/** Watch trees: the places of a JSON document that a scanner reports. */

/** A place in a document whose value is reported; its children are places below it. */
export interface JsonWatch {
  /** Tells the sink which place this is. */
  readonly id: number;
  /** Whether the text of a scalar here is kept for the sink, up to the scanner's bound. */
  readonly capture: boolean;
  /** Whether a text here is a place from which like documents are read on. */
  readonly resumes: boolean;
  readonly fields: readonly JsonWatchField[];
  readonly items: JsonWatch | undefined;
}

export interface JsonWatchField {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly watch: JsonWatch;
}

/** Describes one place of a watch tree. */
export function watchJson(
  id: number,
  parts: {
    capture?: boolean;
    resumes?: boolean;
    fields?: Readonly<Record<string, JsonWatch>>;
    items?: JsonWatch;
  } = {},
): JsonWatch {
  return {
    id,
    capture: parts.capture ?? false,
    resumes: parts.resumes ?? false,
    fields: Object.entries(parts.fields ?? {}).map(([name, watch]) => ({
      name,
      nameBytes: Buffer.from(name),
      watch,
    })),
    items: parts.items,
  };
}
