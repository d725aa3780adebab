/** Seals secrets that were written before there was a key, or with an earlier one. */

import type { Logger } from "pino";

import type { Store } from "#storage/index.ts";

import type { SecretBox } from "./secret-box.ts";

interface ResealParts {
  readonly store: Store;
  readonly secretBox: SecretBox;
  readonly logger: Logger;
}

/** What cannot be opened stays as it is; its deliveries say so. */
export async function resealSecrets(
  { store, secretBox, logger }: ResealParts,
  signal: AbortSignal,
): Promise<void> {
  let sealedCount = 0;
  let closedCount = 0;
  await store.system(signal, async (writer) => {
    // Whoever rotates a secret waits for this, and is not overwritten.
    const rows = await writer
      .selectFrom("webhook")
      .select(["tenant_id", "id", "secret", "previous_secret"])
      .forUpdate()
      .execute();
    for (const row of rows) {
      const owner = { tenantId: row.tenant_id, webhookId: row.id };
      const { previous_secret: previous } = row;
      const kept = [row.secret, ...(previous === null ? [] : [previous])];
      if (kept.every((secret) => secretBox.isCurrent(secret))) continue;
      const again = (secret: string): string =>
        secretBox.seal(secretBox.open(secret, owner), owner);
      let sealed;
      try {
        const secret = again(row.secret);
        sealed = { secret, previous_secret: previous === null ? null : again(previous) };
      } catch {
        closedCount += 1;
        continue;
      }
      await writer
        .updateTable("webhook")
        .set(sealed)
        .where("tenant_id", "=", row.tenant_id)
        .where("id", "=", row.id)
        .execute();
      sealedCount += 1;
    }
  });
  if (sealedCount > 0) logger.info({ sealedCount }, "secrets of webhooks are sealed anew");
  if (closedCount > 0)
    logger.error({ closedCount }, "secrets of webhooks are sealed with keys that are not known");
}
