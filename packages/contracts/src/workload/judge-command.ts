/** Judges what a container is told to run, where its command alone settles how it ends. */

import { textAt, textListAt } from "../kubernetes/fields.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { Judgement } from "./gather-findings.ts";
import { containersIn, type PodTemplate } from "./pod-template.ts";

/** A shell script that says something and then fails, whatever happens. */
const failingScript =
  /^\s*(?:(?:echo|sleep|true)\b[^;&|$`()\n]*(?:;|&&|\n)\s*)*exit\s+([1-9]\d{0,2})\s*;?\s*$/;

/** A container whose script can only end with a failure. */
export function judgeCommands({ spec, subject, source, isInUse }: PodTemplate): Judgement[] {
  if (!isInUse) return [];
  return containersIn(spec).flatMap((container): Judgement[] => {
    const words = [...textListAt(container, "command"), ...textListAt(container, "args")];
    if (!/(?:^|\/)(?:ba|da|a|z)?sh$/.test(words[0] ?? "") || words[1] !== "-c") return [];
    const code = failingScript.exec(words[2] ?? "")?.[1];
    if (code === undefined) return [];
    const name = textAt(container, "name") ?? "";
    return [
      {
        weight: 1,
        parts: {
          verdict: "violated",
          subject: { kind: "container", name: `${subject.name}/${name}` },
          title: `Container ${name} of ${subject.kind} ${subject.name} cannot stay up: its command ends with exit code ${code} whatever happens.`,
          actual: words.join(" "),
          causeKind: "configuration",
          measures: { exitCode: Number(code) },
          evidence: [referenceTo(source, words.join(" "))],
          fixes: [{ description: "Run the program that the container is for." }],
        },
      },
    ];
  });
}
