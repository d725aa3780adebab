/**
 * Mines templates from logs: lines that differ only in what changes become one template with a count. A tree of fixed
 * depth leads each line to few candidates, as in Drain (He and others, 2017), so that a line costs the same however many
 * templates there are.
 */

import type { LogLine, LogSeverity } from "../model/evidence.ts";
import { compareText } from "../text/compare-text.ts";
import { cutText, shorten } from "../text/cut-text.ts";
import { isVariable, maskLine } from "./mask.ts";

export interface LogTemplate {
  /** The words that all lines share, `<num>`, `<ip>` and the like for what was masked, `<*>` for other words. */
  readonly text: string;
  readonly count: number;
  /** When the first and the last line with a time came, in microseconds since 1970. */
  readonly firstMicros?: number;
  readonly lastMicros?: number;
  /** The gravest severity of its lines. */
  readonly severity?: LogSeverity;
  /** The first line, as it was written. */
  readonly example: string;
}

export interface MinedTemplates {
  /** The most frequent first. */
  readonly templates: readonly LogTemplate[];
  /** For each line the index of its template. */
  readonly templateOfLine: Int32Array;
}

export interface TemplateOptions {
  /** Words from the beginning by which the tree branches. */
  readonly depth: number;
  /** Share of words that a line must have in common with a template, from 0 to 1. */
  readonly similarityMin: number;
  /** Branches of one node; further words share one. */
  readonly childCountMax: number;
  /** Templates in all; further lines join the nearest template of their leaf, or one for all the rest. */
  readonly templateCountMax: number;
}

/** What templates are mined by unless something else is asked for. */
export const templateDefaults: TemplateOptions = {
  depth: 3,
  similarityMin: 0.5,
  childCountMax: 64,
  templateCountMax: 5_000,
};

/** Characters and words of a line that are looked at. */
const lineLengthMax = 2_048;
const wordCountMax = 64;
const exampleLengthMax = 1_024;
/** Candidates of one leaf that a line is compared with. */
const leafSizeMax = 64;
const wildcard = "<*>";
const severities: readonly LogSeverity[] = ["trace", "debug", "info", "warn", "error", "fatal"];

/** The templates of lines in their order. The same lines always give the same templates. None of the lines is kept. */
export function mineTemplates(
  lines: Iterable<LogLine>,
  options: Partial<TemplateOptions> = {},
): MinedTemplates {
  const miner = new Miner({ ...templateDefaults, ...options });
  const clusters = Array.from(lines, (line) => miner.add(line));
  const order = [...miner.clusters].sort(
    (left, right) => right.count - left.count || compareText(textOf(left), textOf(right)),
  );
  const indices = new Map(order.map((cluster, index) => [cluster, index]));
  return {
    templates: order.map(templateOf),
    templateOfLine: Int32Array.from(clusters, (cluster) => indices.get(cluster) ?? 0),
  };
}

/** The part of an entry that says what it is about: its first line; of a Python traceback the last one. */
export function headlineOf(text: string): string {
  const end = text.indexOf("\n");
  const first = end < 0 ? text : text.slice(0, end);
  if (end < 0 || !first.trimStart().startsWith("Traceback (most recent call last)")) return first;
  return text.slice(text.trimEnd().lastIndexOf("\n") + 1).trimEnd();
}

interface Cluster {
  words: string[];
  count: number;
  firstMicros: number | undefined;
  lastMicros: number | undefined;
  severity: number;
  readonly example: string;
}

interface Node {
  readonly children: Map<string, Node>;
  readonly clusters: Cluster[];
}

class Miner {
  readonly clusters: Cluster[] = [];
  readonly #options: TemplateOptions;
  readonly #root = new Map<number, Node>();
  /** Lines that are equal but for what is masked are common; they need no walk through the tree. */
  readonly #known = new Map<string, Cluster>();
  #rest: Cluster | undefined;

  constructor(options: TemplateOptions) {
    this.#options = options;
  }

  add(line: LogLine): Cluster {
    const headline = headlineOf(line.text);
    const masked = maskLine(cutText(headline, lineLengthMax));
    const cluster = this.#known.get(masked) ?? this.#clusterOf(masked, headline);
    if (this.#known.size < this.#options.templateCountMax * 2) this.#known.set(masked, cluster);
    count(cluster, line);
    return cluster;
  }

  #clusterOf(masked: string, headline: string): Cluster {
    const words = wordsOf(masked);
    const leaf = this.#leafOf(words);
    const nearest = nearestOf(leaf.clusters, words);
    const isFull =
      this.clusters.length >= this.#options.templateCountMax || leaf.clusters.length >= leafSizeMax;
    if (nearest !== undefined && (nearest.similarity >= this.#options.similarityMin || isFull)) {
      merge(nearest.cluster, words);
      return nearest.cluster;
    }
    if (this.clusters.length >= this.#options.templateCountMax) {
      this.#rest ??= this.#made([wildcard], headline);
      return this.#rest;
    }
    const made = this.#made(words, headline);
    leaf.clusters.push(made);
    return made;
  }

  #made(words: string[], headline: string): Cluster {
    const cluster: Cluster = {
      words,
      count: 0,
      firstMicros: undefined,
      lastMicros: undefined,
      severity: -1,
      example: shorten(headline, exampleLengthMax),
    };
    this.clusters.push(cluster);
    return cluster;
  }

  #leafOf(words: readonly string[]): Node {
    let node = this.#root.get(words.length) ?? newNode();
    this.#root.set(words.length, node);
    for (const word of words.slice(0, this.#options.depth)) {
      const isNew = !node.children.has(word);
      const isFull = isNew && node.children.size >= this.#options.childCountMax;
      const key = isVariable(word) || isFull ? wildcard : word;
      const child = node.children.get(key) ?? newNode();
      node.children.set(key, child);
      node = child;
    }
    return node;
  }
}

function newNode(): Node {
  return { children: new Map(), clusters: [] };
}

function wordsOf(masked: string): string[] {
  const words = masked.trim().split(/\s+/, wordCountMax);
  return words.length === 0 ? [""] : words;
}

function nearestOf(
  clusters: readonly Cluster[],
  words: readonly string[],
): { cluster: Cluster; similarity: number } | undefined {
  let best: { cluster: Cluster; similarity: number } | undefined;
  for (const cluster of clusters) {
    let equal = 0;
    for (let index = 0; index < words.length; index += 1) {
      if (cluster.words[index] === words[index]) equal += 1;
    }
    const similarity = words.length === 0 ? 1 : equal / words.length;
    if (similarity > (best?.similarity ?? -1)) best = { cluster, similarity };
  }
  return best;
}

function merge(cluster: Cluster, words: readonly string[]): void {
  words.forEach((word, index) => {
    if (cluster.words[index] !== word) cluster.words[index] = wildcard;
  });
}

function count(cluster: Cluster, { timeMicros, severity }: LogLine): void {
  cluster.count += 1;
  if (severity !== undefined) {
    cluster.severity = Math.max(cluster.severity, severities.indexOf(severity));
  }
  if (timeMicros === undefined) return;
  cluster.firstMicros = Math.min(cluster.firstMicros ?? timeMicros, timeMicros);
  cluster.lastMicros = Math.max(cluster.lastMicros ?? timeMicros, timeMicros);
}

function textOf(cluster: Cluster): string {
  return cluster.words.join(" ");
}

function templateOf(cluster: Cluster): LogTemplate {
  const { firstMicros, lastMicros, example } = cluster;
  const severity = severities[cluster.severity];
  return {
    text: textOf(cluster),
    count: cluster.count,
    ...(firstMicros === undefined ? {} : { firstMicros }),
    ...(lastMicros === undefined ? {} : { lastMicros }),
    ...(severity === undefined ? {} : { severity }),
    example,
  };
}
