/** How much of an evaluation is read at once. What has more is refused. */

export const evaluationLimits = {
  caseCountMax: 500_000,
  variantCountMax: 1_000,
  /** Scores of one case; further ones are left out, and said. */
  scoreCountMax: 64,
} as const;
