/** The contracts of the identity of a model: its tokenizer, settings and weights belong together. */

import type { Contract } from "../model/contract.ts";
import { chatTemplate } from "./chat-template.ts";
import { oneRelease } from "./one-release.ts";
import { specialTokens } from "./special-tokens.ts";
import { vocabularyFits } from "./vocabulary-fits.ts";

export const versionContracts: readonly Contract[] = [
  chatTemplate,
  oneRelease,
  specialTokens,
  vocabularyFits,
];
