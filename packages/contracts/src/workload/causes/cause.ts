/** Why a process failed, as one of its lines says it. */

import type { CauseKind } from "../../model/finding.ts";

export interface Cause {
  readonly causeKind: CauseKind;
  /** Completes "it fails because …". */
  readonly because: string;
  /** The smallest change that would mend it; absent where the line does not tell. */
  readonly fix?: string;
  readonly nextCheck?: string;
  /** Something that the process needs from elsewhere: it may come back by itself. */
  readonly isDependency?: boolean;
}

/** Recognises one cause in a line. */
export interface CauseRule {
  /** How surely the line tells a cause: 3 names it, 2 names its kind, 1 only says that something broke. */
  readonly weight: 1 | 2 | 3;
  /** Must run in linear time: lines come from anywhere. */
  readonly pattern: RegExp;
  cause(match: RegExpExecArray, line: string): Cause | undefined;
}
