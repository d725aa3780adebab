/** Whether a use of a hold said that its work is done. */

import { sql } from "kysely";

/** For a query in which `hold` is a row of `ledger_hold`. */
export const hasFinalUse = sql<boolean>`exists (
        select from ledger_use last join ledger_command command on command.id = last.command_id
        where last.hold_id = hold.id and command.content like '%,isFinal:true,kind:"settle",}'
      )`;
