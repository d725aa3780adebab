/**
 * Seals the secrets of webhooks, so that whoever reads the database or a backup cannot sign: AES-256-GCM with a key of the
 * configuration, bound to the webhook, and told apart by the id of the key, so that keys can follow one another.
 */

import { createCipheriv, createDecipheriv } from "node:crypto";

import { PlatformError } from "@faultline/protocol";

import type { Random } from "#kernel/index.ts";

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;
/** No secret begins so; what does is `sealed1:KEY:DATA`. */
const mark = "sealed1:";

/** A key of the configuration. */
export interface SecretKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** Whose secret it is. */
export interface SecretOwner {
  readonly tenantId: string;
  readonly webhookId: string;
}

export class SecretBox {
  readonly #keys: readonly SecretKey[];
  readonly #random: Random;

  /** The first key seals; the others open what they sealed. Without any, secrets stay as they are. */
  constructor(keys: readonly SecretKey[], random: Random) {
    this.#keys = keys;
    this.#random = random;
  }

  /** Whether `stored` is as `seal` would leave it now. */
  isCurrent(stored: string): boolean {
    const [first] = this.#keys;
    return first === undefined || stored.startsWith(`${mark}${first.id}:`);
  }

  seal(secret: string, owner: SecretOwner): string {
    const [first] = this.#keys;
    if (first === undefined) return secret;
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv(algorithm, first.key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(boundTo(owner));
    const sealed = [nonce, cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()];
    return `${mark}${first.id}:${Buffer.concat(sealed).toString("base64url")}`;
  }

  /** Throws `configuration_invalid` where the key is not known, and `internal` where it does not fit. */
  open(stored: string, owner: SecretOwner): string {
    if (!stored.startsWith(mark)) return stored;
    const [, id = "", text = ""] = stored.split(":");
    const known = this.#keys.find((key) => key.id === id);
    if (known === undefined)
      throw new PlatformError(
        "configuration_invalid",
        `The secret is sealed with the key '${id}', which is not configured.`,
        { hint: "Name the key under `webhooks.secretKeys`, or rotate the secret." },
      );
    const data = Buffer.from(text, "base64url");
    try {
      const nonce = data.subarray(0, nonceBytes);
      const decipher = createDecipheriv(algorithm, known.key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(boundTo(owner));
      decipher.setAuthTag(data.subarray(-tagBytes));
      const opened = decipher.update(data.subarray(nonceBytes, -tagBytes));
      return Buffer.concat([opened, decipher.final()]).toString("utf8");
    } catch (cause) {
      throw new PlatformError("internal", `The key '${id}' does not open the secret.`, {
        hint: "Another key has this id now. Configure the one it was, or rotate the secret.",
        cause,
      });
    }
  }
}

/** A sealed secret that is moved to another webhook does not open there. */
function boundTo({ tenantId, webhookId }: SecretOwner): Buffer {
  return Buffer.from(`${tenantId}/${webhookId}`, "utf8");
}
