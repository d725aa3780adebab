/** What the contract of environments decides by. */

export interface EnvironmentOptions {
  readonly alike: readonly string[];
  readonly weightMin: number;
  readonly violationWeightMin: number;
  readonly factCountMin: number;
  readonly failureCountMin: number;
  readonly failureShareMin: number;
  readonly healthyRequestCountMin: number;
}
