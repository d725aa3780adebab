/** The formats of changes and of what monitors reported. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { readGitText, recogniseGitText } from "./git-text.ts";
import { readMoment, recogniseMoment } from "./moment.ts";
import { readChangeRecords, recogniseChangeRecords } from "./read-records.ts";

export const changeFormats: readonly EvidenceFormat[] = [
  {
    name: "git-text",
    description: "commits as git prints them: a log with diffs, patches as mail, or a diff",
    recognise: ({ head }) => head !== undefined && recogniseGitText(head),
    read: readGitText,
  },
  {
    name: "change-records",
    description: "commits, deploys, flags, alerts and status reports as records of JSON",
    recognise: (input) => startsAsJson(input.head) && recogniseChangeRecords(input),
    read: readChangeRecords,
  },
  {
    name: "moment",
    description: "one moment, at which a fault was injected or an incident began",
    recognise: recogniseMoment,
    read: readMoment,
  },
];
