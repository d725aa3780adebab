/** The contracts of the identity of versions: what a model is made of belongs together, and versions serve alike. */

import type { Contract } from "../model/contract.ts";
import { bundleChange } from "./bundle-change.ts";
import { canary } from "./canary.ts";
import { chatTemplate } from "./chat-template.ts";
import { declaredTools } from "./declared-tools.ts";
import { drift } from "./drift.ts";
import { evaluationScores } from "./evaluation-scores.ts";
import { oneRelease } from "./one-release.ts";
import { specialTokens } from "./special-tokens.ts";
import { transcriptsAlike } from "./transcripts-alike.ts";
import { vocabularyFits } from "./vocabulary-fits.ts";

export const versionContracts: readonly Contract[] = [
  bundleChange,
  canary,
  chatTemplate,
  declaredTools,
  drift,
  evaluationScores,
  oneRelease,
  specialTokens,
  transcriptsAlike,
  vocabularyFits,
];
