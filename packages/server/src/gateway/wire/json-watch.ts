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
  /** Of a name that is like this one, how many bytes it has; 0 for the name itself. */
  readonly likeLength: number;
}

/** Describes one place of a watch tree. */
export function watchJson(
  id: number,
  parts: {
    capture?: boolean;
    resumes?: boolean;
    /** Their names are in small letters. */
    fields?: Readonly<Record<string, JsonWatch>>;
    /** Watches fields whose names differ from those in the case of letters alone: some parsers take the one for the other. */
    likeFields?: JsonWatch;
    items?: JsonWatch;
  } = {},
): JsonWatch {
  return {
    id,
    capture: parts.capture ?? false,
    resumes: parts.resumes ?? false,
    fields: byLength(Object.keys(parts.fields ?? {}), parts),
    items: parts.items,
  };
}

/** What is watched in the field whose name begins here, among fields with names as long as it. */
export function watchOf(
  likes: readonly JsonWatchField[],
  bytes: Uint8Array,
  start: number,
): JsonWatch | undefined {
  for (const { nameBytes, watch, likeLength } of likes) {
    if (likeLength > 0) {
      if (isLike(bytes, start, { name: nameBytes, length: likeLength })) return watch;
      continue;
    }
    const { length } = nameBytes;
    let index = 0;
    while (index < length && nameBytes[index] === bytes[start + index]) index += 1;
    if (index === length) return watch;
  }
  return undefined;
}

function byLength(
  names: readonly string[],
  { fields = {}, likeFields }: Parameters<typeof watchJson>[1] & object,
): JsonWatch["fields"] {
  const lists: JsonWatchField[][] = [];
  for (const name of names) {
    const nameBytes = Buffer.from(name);
    const watch = fields[name];
    if (watch !== undefined)
      (lists[nameBytes.length] ??= []).push({ nameBytes, watch, likeLength: 0 });
  }
  if (likeFields !== undefined) addLikes(lists, names, likeFields);
  // A list without holes is read faster.
  return Array.from(lists);
}

/** Behind all names themselves. */
function addLikes(lists: JsonWatchField[][], names: readonly string[], watch: JsonWatch): void {
  for (const name of names) {
    const nameBytes = Buffer.from(name);
    for (const likeLength of likeLengthsOf(name))
      (lists[likeLength] ??= []).push({ nameBytes, watch, likeLength });
  }
}

/** Letters beyond ASCII that are the same as one of it but for their case, by that one: the long s, and the sign of kelvin. */
const likeLetters: ReadonlyMap<number, Uint8Array> = new Map([
  [0x73, Buffer.from("\u017f")],
  [0x6b, Buffer.from("\u212a")],
]);

/** How many bytes names have that are like this one. */
function likeLengthsOf(name: string): ReadonlySet<number> {
  let lengths = new Set([0]);
  for (const letter of Buffer.from(name)) {
    const more = likeLetters.get(letter)?.length ?? 1;
    lengths = new Set([...lengths].flatMap((length) => [length + 1, length + more]));
  }
  return lengths;
}

/** Whether the bytes from `start` on are the name but for the case of its letters. */
function isLike(
  bytes: Uint8Array,
  start: number,
  { name, length }: { readonly name: Uint8Array; readonly length: number },
): boolean {
  let at = start;
  for (const letter of name) {
    const byte = bytes[at] ?? 0;
    const isCapital = byte >= 0x41 && byte <= 0x5a;
    if ((isCapital ? byte + 0x20 : byte) === letter) at += 1;
    else {
      const like = byte < 0x80 ? undefined : likeLetters.get(letter);
      if (like?.every((one, index) => one === bytes[at + index]) !== true) return false;
      at += like.length;
    }
  }
  return at === start + length;
}
