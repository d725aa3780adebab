/** Bounds of safety policies at work. */

export const policyLimits = {
  /**
   * Text of a stream that is held back because it could still become a match. What a longer match has in front of this was
   * sent already: the match is still seen, and refused or cut off from here on.
   */
  heldTextLengthMax: 1_024,
  /** All texts of a request together, when its bundle has rules for them. */
  inputTextLengthMax: 1_048_576,
  /** A plain reply that is checked is held whole. */
  plainReplyBytesMax: 16_777_216,
  /** Texts of one reply that are checked apart from one another: choices, blocks, calls of tools. */
  channelCountMax: 256,
} as const;
