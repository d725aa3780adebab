/** The contracts of the identity of a model: its tokenizer, settings and weights belong together. */

import type { Contract } from "../model/contract.ts";
import { specialTokens } from "./special-tokens.ts";
import { vocabularyFits } from "./vocabulary-fits.ts";

export const versionContracts: readonly Contract[] = [specialTokens, vocabularyFits];
