/** The formats of listings of what a process holds. */

import type { EvidenceFormat } from "../format.ts";
import { readDescriptors, readLsof, recogniseDescriptors, recogniseLsof } from "./descriptors.ts";
import {
  readActiveResources,
  readNodeFigures,
  readNodeReport,
  recogniseActiveResources,
  recogniseNodeFigures,
  recogniseNodeReport,
} from "./node-report.ts";
import { readSockets, recogniseSockets } from "./socket-tables.ts";

export const resourceFormats: readonly EvidenceFormat[] = [
  {
    name: "descriptors",
    description: "ls -l of /proc/PID/fd",
    recognise: ({ head }) => head !== undefined && recogniseDescriptors(head),
    read: readDescriptors,
  },
  {
    name: "lsof",
    description: "what lsof prints",
    recognise: ({ head }) => head !== undefined && recogniseLsof(head),
    read: readLsof,
  },
  {
    name: "sockets",
    description: "ss, netstat or /proc/net/tcp",
    recognise: ({ head }) => head !== undefined && recogniseSockets(head),
    read: readSockets,
  },
  {
    name: "node-report",
    description: "a diagnostic report of Node",
    recognise: ({ head }) => recogniseNodeReport(head),
    read: readNodeReport,
  },
  {
    name: "node-memory",
    description: "heap statistics or memory usage of Node",
    recognise: ({ head }) => recogniseNodeFigures(head),
    read: readNodeFigures,
  },
  {
    name: "node-resources",
    description: "the active resources of Node",
    recognise: ({ head }) => recogniseActiveResources(head),
    read: readActiveResources,
  },
];
