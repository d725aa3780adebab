/** Says how far the reading of live systems has come: in one line where somebody looks, and in lines as each ends. */

import { plural } from "@faultline/contracts";

import type { Terminal } from "../terminal.ts";
import type { LiveProgress } from "./collect-live.ts";

/** Progress that takes its words off the screen again. */
interface ShownProgress extends LiveProgress {
  end(): void;
}

/** Systems that one line names. */
const namedCountMax = 3;

/** The progress of reading these systems, by their names. */
export function liveProgress(names: readonly string[], terminal: Terminal): ShownProgress {
  const { showProgress } = terminal;
  const reading = new Map(names.map((name) => [name, { answerCount: 0, sizeBytes: 0 }]));
  const show = (): void => {
    if (showProgress === undefined) return;
    const states = [...reading].map(([name, { answerCount, sizeBytes }]) =>
      answerCount === 0
        ? `${name}: waiting`
        : `${name}: ${plural(answerCount, "answer")}, ${megabytes(sizeBytes)} MB`,
    );
    const more = states.length - namedCountMax;
    const listed = states.slice(0, namedCountMax).join("; ") + (more > 0 ? `; ${more} more` : "");
    const line = `Reading ${names.length - reading.size + 1} of ${names.length}: ${listed}`;
    showProgress(states.length === 0 ? undefined : printable(line.slice(0, terminal.columns - 1)));
  };
  show();
  return {
    kept(source, sizeBytes) {
      const state = reading.get(source);
      if (state === undefined) return;
      state.answerCount += 1;
      state.sizeBytes += sizeBytes;
      show();
    },
    ended({ source, fileCount, sizeBytes, missed }) {
      reading.delete(source);
      showProgress?.(undefined);
      terminal.note(
        printable(`Read ${source}: ${plural(fileCount, "answer")}, ${sizeBytes} bytes.`),
      );
      for (const { what, why } of missed) {
        terminal.note(printable(`faultline snapshot: ${source}, ${what}: ${why}`));
      }
      show();
    },
    end: () => showProgress?.(undefined),
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}

/** What a system says must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "\u{fffd}");
}
