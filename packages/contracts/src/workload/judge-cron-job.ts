/** Judges cron jobs: that their schedule can be read and their jobs can start. */

import { eventsOf } from "../kubernetes/event-index.ts";
import { integerAt, isTrueAt, listAt, textAt } from "../kubernetes/fields.ts";
import { nameOf, referenceTo, type Source } from "../kubernetes/objects.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Judgement } from "./gather-findings.ts";
import type { RolloutContext } from "./rollout-context.ts";

/** What is found about each cron job. */
export function judgeCronJobs({ objects, snapshot }: RolloutContext): Judgement[] {
  const events = eventsOf(snapshot);
  return objects.of("CronJob").flatMap((source): Judgement[] => {
    const { object } = source;
    const name = nameOf(object);
    const fault = faultOf(source);
    if (fault !== undefined) {
      return [violated(source, { title: `Cron job ${name} ${fault.says}.`, ...fault })];
    }
    const told = events
      .about("CronJob", object.metadata.namespace ?? "default", object.metadata.name)
      .find(({ reason }) =>
        /^(?:FailedNeedsStart|TooManyMissedTimes|InvalidSchedule|UnparseableSchedule|UnknownTimeZone|MissSchedule)$/.test(
          reason,
        ),
      );
    if (told !== undefined) {
      return [
        violated(source, {
          title: `Cron job ${name} does not start its jobs: ${told.message}.`,
          actual: told.message,
          fix: "Correct the schedule, its time zone or startingDeadlineSeconds, as the event says.",
        }),
      ];
    }
    if (isTrueAt(object, "spec", "suspend")) return [suspended(source)];
    const stuck =
      textAt(object, "spec", "concurrencyPolicy") === "Forbid" &&
      listAt(object, "status", "active").length > 0 &&
      events
        .about("CronJob", object.metadata.namespace ?? "default", object.metadata.name)
        .some(({ reason }) => reason === "JobAlreadyActive");
    return stuck
      ? [
          violated(source, {
            title: `Cron job ${name} starts no new job: one is still active, and concurrencyPolicy Forbid waits for it.`,
            actual: "JobAlreadyActive",
            fix: "End the job that hangs, and give its jobs activeDeadlineSeconds.",
          }),
        ]
      : [];
  });
}

interface CronFault {
  readonly actual: string;
  readonly fix: string;
}

function faultOf({ object }: Source): (CronFault & { readonly says: string }) | undefined {
  const schedule = textAt(object, "spec", "schedule") ?? "";
  const wrong = scheduleFault(schedule);
  if (wrong !== undefined) {
    return {
      says: `has the schedule "${schedule}", which cannot be read: ${wrong}`,
      actual: schedule,
      fix: `Correct spec.schedule "${schedule}": five fields, or a word such as @daily.`,
    };
  }
  const deadline = integerAt(object, "spec", "startingDeadlineSeconds");
  if (deadline !== undefined && deadline < 10) {
    return {
      says: `may miss every start: startingDeadlineSeconds is ${deadline}, and its controller looks every 10 s`,
      actual: `startingDeadlineSeconds: ${deadline}`,
      fix: "Set startingDeadlineSeconds to at least 10, better to minutes.",
    };
  }
  return undefined;
}

const ranges: readonly (readonly [name: string, min: number, max: number])[] = [
  ["minute", 0, 59],
  ["hour", 0, 23],
  ["day of the month", 1, 31],
  ["month", 1, 12],
  ["day of the week", 0, 7],
];

/** What is wrong with a schedule; a placeholder of a chart is not judged. */
function scheduleFault(schedule: string): string | undefined {
  const text = schedule.replace(/^(?:CRON_)?TZ=\S+\s+/, "").trim();
  if (/\{\{|\$\{/.test(text)) return undefined;
  if (/^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$/.test(text))
    return undefined;
  const fields = text.split(/\s+/);
  if (text === "" || fields.length !== 5) {
    return `it has ${text === "" ? 0 : fields.length} fields, not 5`;
  }
  for (const [index, field] of fields.entries()) {
    const [name, min, max] = ranges[index] ?? ["field", 0, 0];
    for (const part of field.split(",")) {
      if (/^(?:[A-Za-z]{3}(?:-[A-Za-z]{3})?|\?)$/.test(part)) continue;
      const [, range = "", step] = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(part) ?? [];
      const numbers = range === "*" ? [] : range.split("-");
      const isRange = numbers.every(
        (number) => /^\d{1,4}$/.test(number) && Number(number) >= min && Number(number) <= max,
      );
      if (range === "" || !isRange || step === "0") return `its ${name} ${part} is none`;
    }
  }
  return undefined;
}

function violated(
  source: Source,
  { title, actual, fix }: CronFault & { readonly title: string },
): Judgement {
  return {
    weight: 2,
    parts: {
      verdict: "violated",
      subject: subjectOf(source),
      title,
      actual,
      causeKind: "configuration",
      evidence: [referenceTo(source, actual)],
      fixes: [{ description: fix }],
    },
  };
}

function suspended(source: Source): Judgement {
  return {
    parts: {
      verdict: "inconclusive",
      subject: subjectOf(source),
      title: `Cron job ${nameOf(source.object)} is suspended and starts no job.`,
      actual: "spec.suspend is true.",
      evidence: [referenceTo(source)],
      missing: ["whether it is meant to be suspended"],
      fixes: [{ description: "Set spec.suspend to false." }],
    },
  };
}

function subjectOf({ object }: Source): FindingParts["subject"] {
  return { kind: "cronjob", name: nameOf(object) };
}
