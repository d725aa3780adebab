/** What a tool does, by its annotations and else by the words of its name. What neither tells stays unknown. */

import type { ToolDefinition } from "../model/evidence.ts";
import { nameWords } from "./name-words.ts";

/** Words whose tools change something. */
const changing = new Set(
  `add allocate append apply approve archive assign ban bash block book buy cancel charge checkout clear click close commit confirm
  copy create credit debit decline delete deploy destroy disable dispatch drop edit enable enroll exec execute exchange
  forward grant insert install invite issue kill lock mark merge migrate modify move order pay place post provision publish
  purge purchase push put reboot refund register reject release remove rename reorder replace reply reschedule reserve reset
  restart restore resume return revoke rollback rotate run save scale schedule send set share shutdown sign start stop
  submit subscribe suspend swap terminate toggle transfer trigger truncate unassign unlock unsubscribe update upgrade upload
  upsert withdraw write drag goto navigate powershell press shell swipe tap terminal`.split(/\s+/),
);
/** Words whose tools only look. */
const reading = new Set(
  `ask calculate check compare compute convert count describe detect diff evaluate fetch find get grep head inspect list
  lookup look ls parse ping preview query read retrieve search select show stat status summarize tail translate validate
  verify view`.split(/\s+/),
);
/** Words of tools that are asked again and again by design, or that answer anew each time. */
const waiting = new Set(
  `await check health heartbeat job now ping poll progress random ready refresh roll sample sleep state status tail time
  timer wait watch`.split(/\s+/),
);
/** Words of tools that bring in what strangers wrote. */
const outside = new Set(
  `attachment attachments article browse browser comment comments crawl document documents download email emails fetch
  feed file forum html http inbox internet issue issues mail message messages news page pages post posts review reviews
  rss scrape search site slack ticket tickets transcript tweet tweets url web webpage website wiki`.split(
    /\s+/,
  ),
);
/** Words of tools whose effect reaches other people, money, machines or what is stored. */
const privileged = new Set(
  `approve buy cancel charge checkout delete deploy destroy dispatch drop email eval exec execute forward grant install
  invite kill mail message pay payment post publish purchase push remove reply run send share shell sms submit terminate
  transfer update upload webhook wire withdraw write`.split(/\s+/),
);
/** Words of tools that make something new, and may choose its id. */
const creating = new Set(
  `add build create draft generate init insert log make new open plan provision record register save start store submit todo todos track
  upload upsert write`.split(/\s+/),
);

/** Words of tools whose results quote what others wrote, errors among it. */
const quoting = new Set(
  "cat console events grep head journal log logs output read stderr stdout tail trace traces".split(
    " ",
  ),
);

export interface ToolTraits {
  /** Whether a call changes something; absent when nothing tells. */
  readonly isChanging: boolean | undefined;
  readonly isWaiting: boolean;
  readonly isOutside: boolean;
  readonly isPrivileged: boolean;
  readonly isCreating: boolean;
  /** Text that looks like an error may be what was asked for. */
  readonly isQuoting: boolean;
}

/** The traits of a tool. */
export function traitsOf(name: string, definition: ToolDefinition | undefined): ToolTraits {
  const words = nameWords(name);
  const hints = definition?.annotations ?? {};
  const isReader = isReading(words);
  const isChanging =
    hints.readOnlyHint === undefined ? changeByName(words, isReader) : !hints.readOnlyHint;
  return {
    isChanging,
    isWaiting: words.some((word) => waiting.has(word)),
    isOutside:
      hints.openWorldHint === true ||
      (isReader !== false && words.some((word) => outside.has(word))),
    isPrivileged:
      hints.readOnlyHint !== true &&
      (hints.destructiveHint === true ||
        (isReader !== true && words.some((word) => privileged.has(word)))),
    isCreating: words.some((word) => creating.has(word)),
    isQuoting: words.some((word) => quoting.has(word)),
  };
}

/** The verb of a tool's name tells; it mostly stands first, in namespaces later. */
function isReading(words: readonly string[]): boolean | undefined {
  for (const word of words) {
    if (reading.has(word)) return true;
    if (changing.has(word)) return false;
  }
  return undefined;
}

function changeByName(
  words: readonly string[],
  isReader: boolean | undefined,
): boolean | undefined {
  if (isReader !== undefined) return !isReader;
  return words.some((word) => privileged.has(word)) ? true : undefined;
}
