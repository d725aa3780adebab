/** Commands to the ledger that are sent again until they are answered: what they say must not be lost. */

import type { LedgerRequest } from "#ledger/index.ts";
import type { UseDetails } from "@faultline/protocol";

import { creditLimits } from "./limits.ts";

export type CommandDetails = ReadonlyMap<string, UseDetails> | undefined;

interface Sent {
  readonly command: LedgerRequest;
  readonly details: CommandDetails;
  sentMs: number;
}

export class SentCommands {
  readonly #send: (command: LedgerRequest, details: CommandDetails) => void;
  readonly #sent = new Map<string, Sent>();

  constructor(send: (command: LedgerRequest, details: CommandDetails) => void) {
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#sent.size === 0;
  }

  /** Takes a command that is sent on the next turn. */
  add(command: LedgerRequest, details: CommandDetails): void {
    this.#sent.set(command.id, { command, details, sentMs: Number.NEGATIVE_INFINITY });
  }

  /** A command was answered; gives it, when it is one of these. */
  take(commandId: string): LedgerRequest | undefined {
    const sent = this.#sent.get(commandId);
    this.#sent.delete(commandId);
    return sent?.command;
  }

  /** Sends what is new, and what was not answered for long. */
  resend(nowMs: number): void {
    for (const sent of this.#sent.values()) {
      if (nowMs - sent.sentMs < creditLimits.resendMs) continue;
      sent.sentMs = nowMs;
      this.#send(sent.command, sent.details);
    }
  }
}
