/** The bounds of webhooks and of what is delivered to them. */

export const webhookLimits = {
  /** Webhooks of one tenant. */
  countMax: 20,
  /** Tests of one webhook that wait. */
  waitingTestCountMax: 20,
  /** Deliveries that one page of the API shows by default. */
  deliveryCount: 100,
  /** Attempts at once in one process, and to one webhook: one that does not answer keeps nobody else waiting. */
  attemptsAtOnceMax: 8,
  attemptsAtOncePerWebhookMax: 2,
  /** Names that are looked up at once: half of the threads that a process has for that and for files. */
  lookupsAtOnceMax: 2,
  /** Of an answer that nobody reads. */
  answerBytesMax: 65_536,
  answerHeaderBytesMax: 16_384,
  /** Notices that are handed to the outbox in one transaction. */
  noticeCountMax: 100,
  /** Deliveries that have ended are kept for this long, and so many are dropped at once. */
  keptMs: 2_592_000_000,
  droppedCountMax: 1_000,
  dropIntervalMs: 600_000,
} as const;

/** When deliveries are attempted, and how often. */
export interface DeliveryTimes {
  /** How often those that are due are looked for. */
  readonly pollMs: number;
  /** From resolving the name to the end of the answer. */
  readonly attemptMsMax: number;
  /** An attempt of which nothing was heard for this long died with its process. */
  readonly leaseMs: number;
  /** After so many attempts a delivery has failed. */
  readonly attemptCountMax: number;
  /** Before the second attempt anything up to this is waited, and up to twice as much before each that follows. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
}

/** Twelve attempts take about an hour on average, and two and a half at most. */
export const deliveryTimes: DeliveryTimes = {
  pollMs: 1_000,
  attemptMsMax: 10_000,
  leaseMs: 30_000,
  attemptCountMax: 12,
  backoffMsMin: 5_000,
  backoffMsMax: 3_600_000,
};
