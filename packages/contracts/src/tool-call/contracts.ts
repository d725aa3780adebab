/** The contracts between a model and its tools. */

import type { Contract } from "../model/contract.ts";
import { toolCallSchema } from "./schema.ts";

export const toolCallContracts: readonly Contract[] = [toolCallSchema];
