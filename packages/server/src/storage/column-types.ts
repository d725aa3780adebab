/** How the values of columns are read. */

import { parseForeignJson } from "@faultline/contracts/json";
import { type CustomTypesConfig, types } from "pg";

const { builtins } = types;
/** The types that `json` and `jsonb` have in every database. */
const jsonTypes: readonly number[] = [builtins.JSON, builtins.JSONB];

/** Those of the client, except that JSON is read as what others wrote: attributes of spans, facts of cases. */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: (type, format) => {
    if (!jsonTypes.includes(type) || format === "binary") return types.getTypeParser(type, format);
    return (text: string) => parseForeignJson(text);
  },
};
