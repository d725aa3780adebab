/** Every bound of the translation, named. Bodies and events are bounded before they come here. */

export const translationLimits = {
  /** Nesting of a body, of an event, and of the arguments of a tool. */
  jsonDepthMax: 128,
  /** Blocks of one reply: texts, reasonings, tool calls. */
  replyBlockCountMax: 1_024,
  /** Characters of one reply, all blocks together. */
  replyLengthMax: 8_388_608,
  /** Blocks of one reply that are received while another one is open. */
  replyOpenBlockCountMax: 128,
  /** Names and ids that a provider gives. */
  replyNameLengthMax: 1_024,
  /** Loss lines of one request; the last one says how many were left out. */
  lossCountMax: 64,
  /** The message of a provider's error, as it is passed on. */
  errorMessageLengthMax: 4_096,
} as const;
