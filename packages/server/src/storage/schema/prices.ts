/** The table of tenants' default prices. 64-bit integers come as text. */

import type { TenantId } from "@faultline/protocol";
import type { ColumnType } from "kysely";

type OptionalMicros = ColumnType<string | null, string | null, never>;

export interface DefaultPriceTable {
  tenant_id: TenantId;
  version: number;
  set_at: ColumnType<Date, string, never>;
  actor: string;
  input_micros: OptionalMicros;
  cached_input_micros: OptionalMicros;
  output_micros: OptionalMicros;
  reasoning_micros: OptionalMicros;
}

export interface PriceTables {
  default_price: DefaultPriceTable;
}
