/** What every writer of a request takes. */

import type { TokenLimitField } from "#config/index.ts";

import type { Conversation } from "../conversation.ts";
import type { Passage } from "../fields/field-table.ts";

export interface WriteRequest {
  readonly conversation: Conversation;
  readonly passage: Passage;
  /** The model's name as the provider knows it. */
  readonly model: string;
  /** Sent where the surface demands a limit and the caller gave none. */
  readonly maxTokensDefault: number;
  /** How chat completions of this provider call the limit. */
  readonly tokenLimitField: TokenLimitField;
}
