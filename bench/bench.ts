/** What a benchmark is: a run that gives figures and a hash of its result. */

export interface BenchFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Least and greatest of the rounds behind the value, where there were several. */
  readonly spread?: readonly [number, number];
  /** Between these the median lies with 95 %, where it is one of rounds. */
  readonly interval?: readonly [number, number];
}

export interface BenchResult {
  readonly name: string;
  readonly figures: readonly BenchFigure[];
  /** Over what the work gave, so that it cannot be left out. */
  readonly resultHash: string;
  /** What a reader must know to read the figures, a sentence each. */
  readonly notes?: readonly string[];
}

export interface BenchOptions {
  /** Small enough for every change; else large enough to be quoted. */
  readonly small: boolean;
  /** Whether other products are installed and measured beside ours. */
  readonly peers: boolean;
}

export type Bench = (options: BenchOptions) => Promise<BenchResult>;
