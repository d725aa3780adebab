/** What is to be compared in a snapshot: pairs of versions, and the work that both did. */

import type { Snapshot } from "../../model/snapshot.ts";
import { type Arms, chooseArms } from "./choose-arms.ts";
import { type Column, mixedColumnsOf } from "./columns.ts";
import { type Companions, companionsOf } from "./companions.ts";
import type { ComponentKey } from "./components.ts";
import { measuresPresent, type Sample, sampleOf } from "./sample.ts";
import { type Unit, type UnitGroup, unitSourceOf } from "./units.ts";

/** One kind of work that both versions did often enough. */
export interface PlannedOperation {
  readonly name: string;
  readonly sample: Sample;
  /** Indices of the measures that both have. */
  readonly present: readonly number[];
}

/** Two versions of one component of one service. */
export interface Comparison {
  readonly subject: string;
  readonly arms: Arms;
  readonly companions: Companions;
  readonly operations: readonly PlannedOperation[];
}

/** A component with several values of which too few units are there. */
export interface Rarity {
  readonly subject: string;
  readonly key: ComponentKey;
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

export interface Plan {
  readonly comparisons: readonly Comparison[];
  readonly rarities: readonly Rarity[];
}

export interface PlanOptions {
  readonly component: string;
  readonly baseline: string;
  readonly callCountMin: number;
}

/** Units that are looked at for components, over all fields together and of each. */
const sampleBudget = { all: 20_000, eachMin: 200, eachMax: 5_000 } as const;
/** Of one comparison, the most frequent operations. */
const operationCountMax = 20;
const comparisonCountMax = 100;
/** Flags and prompts of a field that are compared. */
const leadCountMax = 12;

export function planOf(snapshot: Snapshot, options: PlanOptions): Plan {
  const source = unitSourceOf(snapshot);
  const fields = fieldsOf(source.sample);
  const each = Math.floor(sampleBudget.all / Math.max(1, fields.length));
  const size = Math.min(sampleBudget.eachMax, Math.max(sampleBudget.eachMin, each));
  const mixed = fields.flatMap((field) => lookedAt(field, size, options.component) ?? []);
  if (mixed.length === 0) return { comparisons: [], rarities: [] };
  const gathered = fieldsOf(source.gather(mixed.flatMap(({ field }) => field.groups)));
  const bySubject = new Map(gathered.map((field) => [subjectKey(field), field]));
  const plans = mixed.map((look) =>
    planField({ ...look, field: bySubject.get(subjectKey(look.field)) ?? look.field }, options),
  );
  return {
    comparisons: plans.flatMap(({ comparisons }) => comparisons).slice(0, comparisonCountMax),
    rarities: plans.flatMap(({ rarities }) => rarities).slice(0, comparisonCountMax),
  };
}

function subjectKey({ subject, isOfService }: Field): string {
  return `${isOfService ? "requests" : "calls"} ${subject}`;
}

/** Within a field a component has one meaning: all requests of a service, or calls of models for one purpose. */
export interface Field {
  readonly subject: string;
  readonly groups: readonly UnitGroup[];
  /** Components of the service are compared by its requests, where there are any. */
  readonly isOfService: boolean;
  readonly hasRequests: boolean;
}

/** The fields that groups make. */
export function fieldsOf(groups: readonly UnitGroup[]): Field[] {
  const placeOf = ({ service, environment }: UnitGroup): string =>
    environment === "" ? service : `${service} (${environment})`;
  const requests = Map.groupBy(
    groups.filter(({ of }) => of === "service"),
    placeOf,
  );
  const calls = groups.filter(({ of }) => of === "call");
  return [
    ...[...requests].map(([subject, own]) => ({
      subject,
      groups: own,
      isOfService: true,
      hasRequests: true,
    })),
    ...calls.map((group) => ({
      subject: `${placeOf(group)}, ${group.operation}`,
      groups: [group],
      isOfService: false,
      hasRequests: requests.has(placeOf(group)),
    })),
  ];
}

/** A field in which components have several values, with those that may be compared first. */
export interface Look {
  readonly field: Field;
  readonly columns: readonly Column[];
  readonly leads: readonly Column[];
  readonly cohorts: readonly string[];
}

/** What differs within a field; nothing where no component that can be compared does. */
export function lookedAt(field: Field, sampleSize: number, named: string): Look | undefined {
  const units = field.groups.flatMap(({ units: own }) => own);
  const stride = Math.max(1, Math.ceil(units.length / sampleSize));
  const looked = stride === 1 ? units : units.filter((_unit, at) => at % stride === 0);
  const { components: columns, cohorts } = mixedColumnsOf(looked, named);
  const leads = columns.filter(({ key }) => isLead(key, field, named));
  return leads.length === 0 ? undefined : { field, columns, leads, cohorts };
}

function planField({ field, columns, leads, cohorts }: Look, options: PlanOptions): Plan {
  const units = field.groups.flatMap(({ units: own }) => firstTries(own));
  const comparisons: Comparison[] = [];
  const rarities: Rarity[] = [];
  const covered = new Set<string>();
  for (const column of leads.slice(0, leadCountMax)) {
    const name = coverName(column.key);
    // A label only stands for a version that nothing else names.
    if (covered.has(name) || (name === "label" && comparisons.length > 0)) continue;
    const { arms, rare } = chooseArms(units, column, options);
    const subject = `${field.subject}: ${column.key.key}`;
    if (arms.length > 0) covered.add(name);
    else if (rare.length > 0) rarities.push({ subject, key: column.key, values: rare });
    for (const pair of arms) {
      const comparison = compared(pair, { field, subject, columns, cohorts }, options);
      // Programs of one name that do different work are no versions of one another.
      if (comparison === undefined) continue;
      const { confounding, alongside } = comparison.companions;
      if (column.key.leads === "alone" && confounding.length > 0) continue;
      comparisons.push(comparison);
      for (const { component, key } of [...confounding, ...alongside]) {
        covered.add(component === "flag" ? key : component);
      }
    }
  }
  return { comparisons, rarities: rarities.filter(({ key }) => !covered.has(coverName(key))) };
}

/** Flags are each a component of their own. */
function coverName({ component, key }: ComponentKey): string {
  return component === "flag" ? key : component;
}

function isLead(key: ComponentKey, field: Field, named: string): boolean {
  if (named !== "") return key.key === named;
  if (key.leads === "never") return false;
  return field.isOfService ? key.of === "service" : key.of === "call" || !field.hasRequests;
}

/** What came after a failure of the same work in the same trace is another try, and no fair sample of its version. */
function firstTries(units: readonly Unit[]): readonly Unit[] {
  let failedIn: Unit["trace"] | undefined;
  let isWhole = true;
  const kept = units.filter(({ trace, lead }) => {
    const isRetry = failedIn === trace;
    if (lead.status.code === "error") failedIn = trace;
    if (isRetry) isWhole = false;
    return !isRetry;
  });
  return isWhole ? units : kept;
}

function compared(
  arms: Arms,
  {
    field,
    subject,
    columns,
    cohorts,
  }: {
    readonly field: Field;
    readonly subject: string;
    readonly columns: readonly Column[];
    readonly cohorts: readonly string[];
  },
  { callCountMin }: PlanOptions,
): Comparison | undefined {
  const operationOfUnit = new Map<Unit, string>();
  if (field.groups.length > 1) {
    for (const { operation, units } of field.groups) {
      for (const unit of units) operationOfUnit.set(unit, operation);
    }
  }
  const only = field.groups[0]?.operation ?? "";
  const nameOf = (unit: Unit): string => operationOfUnit.get(unit) ?? only;
  const first = Map.groupBy(arms.baseline.units, nameOf);
  const second = Map.groupBy(arms.canary.units, nameOf);
  if ([...first.keys()].every((name) => !second.has(name))) return undefined;
  const planned = [...first].flatMap(([name, own]): PlannedOperation[] => {
    const others = second.get(name) ?? [];
    if (Math.min(own.length, others.length) < callCountMin) return [];
    const sample = sampleOf(own, others, { cohorts, isConcurrent: arms.isConcurrent });
    return [{ name, sample, present: measuresPresent(sample, callCountMin) }];
  });
  planned.sort((left, right) => sizeOf(right) - sizeOf(left) || (left.name < right.name ? -1 : 1));
  return {
    subject,
    arms,
    companions: companionsOf(arms, columns),
    operations: planned.slice(0, operationCountMax),
  };
}

function sizeOf({ sample }: PlannedOperation): number {
  return Math.min(sample.firstCount, sample.secondCount);
}
