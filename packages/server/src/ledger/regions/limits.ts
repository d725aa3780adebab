/** The bounds of what regions tell one another. */

export const regionLimits = {
  /** Uses in one report. */
  reportedUseCountMax: 500,
  /** Of a report with what its uses were, quoted as it travels: of the text that a message may be, the rest is for documents. */
  reportBytesMax: 600_000,
  /** Transfers that one reading takes: more than one command makes. */
  readTransferCountMax: 20_000,
  /** Documents in one message; the next one brings the rest. */
  documentsPerMessageMax: 200,
  /** Edits of one document that stand side by side. */
  versionCountMax: 32,
  /** All edits of one document, as they are written down. */
  documentBytesMax: 65_536,
  /** How often what metrics show is counted. */
  surveyMs: 15_000,
  /** One message between two regions takes this long at most. */
  exchangeMsMax: 10_000,
  /** Within so much time after a message failed no call waits for the next one. */
  cutOffMs: 5_000,
} as const;
