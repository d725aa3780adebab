/** The contracts between a model and its tools. */

import type { Contract } from "../model/contract.ts";
import { answerAgrees } from "./answer-agrees.ts";
import { authorization } from "./authorization.ts";
import { errorsHandled } from "./errors-handled.ts";
import { executedArguments } from "./executed-arguments.ts";
import { injection } from "./injection.ts";
import { loops } from "./loops.ts";
import { provenance } from "./provenance.ts";
import { redundant } from "./redundant.ts";
import { resultQuality } from "./result-quality.ts";
import { toolCallSchema } from "./schema.ts";
import { schemaStrictness } from "./schema-strictness.ts";
import { toolChoice } from "./tool-choice.ts";

export const toolCallContracts: readonly Contract[] = [
  toolCallSchema,
  executedArguments,
  authorization,
  provenance,
  redundant,
  loops,
  errorsHandled,
  answerAgrees,
  injection,
  resultQuality,
  schemaStrictness,
  toolChoice,
];
