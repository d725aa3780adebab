/** What the contract of goroutines decides by. */

export interface GoroutineOptions {
  readonly growthCountMin: number;
  readonly newGrowthCountMin: number;
  readonly poolCountMax: number;
  readonly trendGrowthCountMin: number;
  readonly growthRatioMin: number;
  readonly pairRatioMin: number;
  readonly loadShareMin: number;
  readonly blockedMinutesMin: number;
  readonly blockedCountMin: number;
  readonly orphanCountMin: number;
  readonly lockedCountMin: number;
  readonly endlessCountMin: number;
  readonly bodyCountMin: number;
}
