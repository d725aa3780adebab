/** How much memory a runtime was told that it may use. */

import { fieldsAt, listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import type { Fields } from "../model/fields.ts";

export interface RuntimeHeap {
  /** As it is written, for example `-Xmx2g`. */
  readonly setting: string;
  /** Where it is written. */
  readonly place: string;
  readonly bytes: bigint;
}

const variables: ReadonlySet<string> = new Set([
  "CATALINA_OPTS",
  "ES_JAVA_OPTS",
  "GOMEMLIMIT",
  "JAVA_OPTIONS",
  "JAVA_OPTS",
  "JAVA_TOOL_OPTIONS",
  "JDK_JAVA_OPTIONS",
  "JVM_OPTS",
  "KAFKA_HEAP_OPTS",
  "NODE_OPTIONS",
  "_JAVA_OPTIONS",
]);

/** The heap that the variables and the command of a container set; the last setting counts, as for the runtimes. */
export function runtimeHeap(container: Fields): RuntimeHeap | undefined {
  const texts: (readonly [place: string, text: string])[] = [
    ...listAt(container, "env").flatMap((item): (readonly [string, string])[] => {
      const name = textAt(item, "name") ?? "";
      const value = textAt(fieldsAt(item), "value");
      return value === undefined || !variables.has(name)
        ? []
        : [[name, name === "GOMEMLIMIT" ? `GOMEMLIMIT=${value}` : value]];
    }),
    [
      "its command",
      [...textListAt(container, "command"), ...textListAt(container, "args")].join(" "),
    ],
  ];
  return texts.flatMap(([place, text]) => heapsIn(text, place)).at(-1);
}

const settings: readonly (readonly [pattern: RegExp, unit: bigint])[] = [
  [/-Xmx(\d{1,12})([kKmMgGtT]?)(?![\w])/g, 1n],
  [/--max[-_]old[-_]space[-_]size[= ](\d{1,9})()/g, 1_048_576n],
  // A load generator, which allocates what it is told.
  [/--vm-bytes[= ](\d{1,12})([bBkKmMgG]?)i?[bB]?(?![\w])/g, 1n],
  [/GOMEMLIMIT=(\d{1,15})(B|KiB|MiB|GiB|TiB)?(?![\w])/g, 1n],
];

const factors: Readonly<Record<string, bigint>> = {
  k: 1_024n,
  m: 1_048_576n,
  g: 1_073_741_824n,
  t: 1_099_511_627_776n,
};

function heapsIn(text: string, place: string): RuntimeHeap[] {
  return settings.flatMap(([pattern, unit]) =>
    [...text.matchAll(pattern)].map(([setting, digits = "0", suffix = ""]) => ({
      setting,
      place,
      bytes: BigInt(digits) * unit * (factors[suffix.charAt(0).toLowerCase()] ?? 1n),
    })),
  );
}
