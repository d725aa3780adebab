/** The formats of descriptions of an environment. */

import type { EvidenceFormat } from "../format.ts";
import { readEnvironmentDocument, recogniseEnvironmentDocument } from "./documents.ts";
import { readHost, recogniseHost } from "./host.ts";
import { readGoVersion, readPackages, recogniseGoVersion, recognisePackages } from "./packages.ts";
import { readVariables, recogniseVariables } from "./variables.ts";

export const environmentFormats: readonly EvidenceFormat[] = [
  {
    name: "environment",
    description:
      "an environment as JSON or YAML, the versions or a report of Node, or npm ls --json",
    recognise: ({ head }) => head !== undefined && recogniseEnvironmentDocument(head),
    read: readEnvironmentDocument,
  },
  {
    name: "environment-packages",
    description: "pip freeze, pip list, also as JSON, conda list or requirements",
    recognise: ({ head }) => head !== undefined && recognisePackages(head),
    read: readPackages,
  },
  {
    name: "go-version",
    description: "go version -m",
    recognise: ({ head }) => head !== undefined && recogniseGoVersion(head),
    read: readGoVersion,
  },
  {
    name: "environment-host",
    description: "uname -a or timedatectl",
    recognise: ({ head }) => head !== undefined && recogniseHost(head),
    read: readHost,
  },
  {
    name: "environment-variables",
    description: "printenv, .env files, locale or os-release",
    recognise: ({ head, name }) => head !== undefined && recogniseVariables(head, name),
    read: readVariables,
  },
];
