/** Watch trees: the places of a JSON document that a scanner reports. */

/** A place in a document whose value is reported; its children are places below it. */
export interface JsonWatch {
  /** Tells the sink which place this is. */
  readonly id: number;
  /** Whether the text of a scalar here is kept for the sink, up to the scanner's bound. */
  readonly capture: boolean;
  /** Whether the beginning of a text or an array here is a place from which like documents are read on. */
  readonly resumes: boolean;
  /** By the length of their names in bytes: most fields of a document are told apart from them by that. */
  readonly fields: readonly (readonly JsonWatchField[] | undefined)[];
  readonly items: JsonWatch | undefined;
}

interface JsonWatchField {
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
    fields: byLength(Object.entries(parts.fields ?? {})),
    items: parts.items,
  };
}

/** What is watched in the field whose name begins here, among fields with names as long as it. */
export function watchOf(
  likes: readonly JsonWatchField[],
  bytes: Uint8Array,
  start: number,
): JsonWatch | undefined {
  for (const { nameBytes, watch } of likes) {
    const { length } = nameBytes;
    let index = 0;
    while (index < length && nameBytes[index] === bytes[start + index]) index += 1;
    if (index === length) return watch;
  }
  return undefined;
}

function byLength(
  fields: readonly (readonly [name: string, watch: JsonWatch])[],
): JsonWatch["fields"] {
  const lists: JsonWatchField[][] = [];
  for (const [name, watch] of fields) {
    const nameBytes = Buffer.from(name);
    (lists[nameBytes.length] ??= []).push({ nameBytes, watch });
  }
  // A list without holes is read faster.
  return Array.from(lists);
}
