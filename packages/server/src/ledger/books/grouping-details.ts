/** The details of a use that say what it was for, by the words in which they are asked for. */
export const groupingDetails = {
  model: "model",
  provider: "provider",
  key: "keyId",
  user: "userId",
  bundle: "bundleHash",
} as const;
