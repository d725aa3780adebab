/** Tables of webhooks and of what is delivered to them. 64-bit integers come as text. */

import type { TenantId } from "@faultline/protocol";
import type { ColumnType, Generated } from "kysely";

/** Comes as a value and goes in as text. */
type Moment = ColumnType<Date, string, string>;
type OptionalMoment = ColumnType<Date | null, string | null, string | null>;

export interface WebhookTable {
  tenant_id: TenantId;
  id: string;
  url: string;
  budget_ids: string[] | null;
  is_enabled: boolean;
  created_at: Moment;
  actor: string;
  secret: string;
  previous_secret: Generated<string | null>;
  previous_secret_until: OptionalMoment;
}

export interface WebhookDeliveryTable {
  tenant_id: TenantId;
  id: string;
  webhook_id: string;
  notice_sequence: ColumnType<string | null, string | null, never>;
  body: string;
  state: "waiting" | "delivered" | "failed";
  created_at: Moment;
  attempt_count: number;
  next_attempt_at: Moment;
  attempt_id: string | null;
  ended_at: OptionalMoment;
  last_status: number | null;
  last_failure: string | null;
}

export interface WebhookTables {
  webhook: WebhookTable;
  webhook_delivery: WebhookDeliveryTable;
}
