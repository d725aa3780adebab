/** What the check page and its worker tell each other. */

import type { CheckReport } from "@faultline/contracts";

/** A file that a person handed to the page. Its bytes are read by the worker alone. */
export interface GivenFile {
  /** Its path below what was handed over: `dumps/slow.json`. */
  readonly name: string;
  readonly file: File;
  /** Handed over itself, not found in a folder: one in no known form counts as unreadable then. */
  readonly isNamed: boolean;
}

/** What could not even be looked at, as an unreadable file of the report. */
export type Unlooked = CheckReport["unreadable"][number];

export type ToWorker =
  | {
      readonly kind: "check";
      readonly files: readonly GivenFile[];
      readonly unlooked: readonly Unlooked[];
    }
  | { readonly kind: "write-report" }
  | { readonly kind: "write-snapshot" };

export type FromWorker =
  | {
      readonly kind: "reading";
      readonly fileName: string;
      readonly fileNumber: number;
      readonly bytesRead: number;
      readonly spanCount: number;
    }
  | { readonly kind: "judging"; readonly evidenceWords: string; readonly contractCount: number }
  | { readonly kind: "checked"; readonly report: CheckReport; readonly evidenceWords: string }
  | { readonly kind: "written"; readonly fileName: string; readonly blob: Blob }
  | { readonly kind: "failed"; readonly message: string };
