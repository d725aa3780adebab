/** The report as SARIF 2.1.0, for code hosts and editors that show results beside files. */

import type { Finding } from "../model/finding.ts";
import type { CheckReport } from "./check-report.ts";
import { fingerprintOf } from "./fingerprint.ts";

export interface SarifReportOptions {
  /** The version of the tool that ran the check. */
  readonly toolVersion: string;
}

/** A SARIF log; its shape is that of the OASIS schema 2.1.0, as far as it is used. */
export interface SarifLog {
  readonly $schema: string;
  readonly version: "2.1.0";
  readonly runs: readonly unknown[];
}

const schemaUri = "https://json.schemastore.org/sarif-2.1.0.json";
const locationsMax = 20;

/** Kinds and levels as SARIF pairs them: whatever is not a failure has the level `none`. */
const kinds = {
  violated: { kind: "fail", level: "error" },
  holds: { kind: "pass", level: "none" },
  inconclusive: { kind: "open", level: "none" },
} as const satisfies Record<Finding["verdict"], unknown>;

/** The report as a SARIF log. */
export function sarifReport(report: CheckReport, options: SarifReportOptions): SarifLog {
  const ruleIndexes = new Map(report.contracts.map((contract, index) => [contract.id, index]));
  const sources = new Map(report.evidence.map((item) => [item.id, item.source.name]));
  return {
    $schema: schemaUri,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "Faultline",
            semanticVersion: options.toolVersion,
            version: options.toolVersion,
            rules: report.contracts.map((contract) => ({
              id: contract.id,
              name: ruleName(contract.id),
              shortDescription: { text: contract.promise },
              fullDescription: { text: contract.promise },
              defaultConfiguration: { level: "error" },
              properties: { boundary: contract.boundary, version: contract.version },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        invocations: [
          {
            executionSuccessful: report.unreadable.length === 0,
            exitCode: report.exitCode,
            toolExecutionNotifications: report.unreadable.map((file) => ({
              level: "error",
              message: { text: unreadableText(file) },
              locations: [fileLocation(file.name)],
            })),
          },
        ],
        results: report.findings.map((finding) => resultOf(finding, { ruleIndexes, sources })),
      },
    ],
  };
}

interface Tables {
  readonly ruleIndexes: ReadonlyMap<string, number>;
  readonly sources: ReadonlyMap<string, string>;
}

function resultOf(finding: Finding, { ruleIndexes, sources }: Tables): unknown {
  const ruleIndex = ruleIndexes.get(finding.contract);
  return {
    ruleId: finding.contract,
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    ...kinds[finding.verdict],
    message: { text: messageOf(finding) },
    locations: locationsOf(finding, sources),
    // Stable over runs, so that a code host knows a result again.
    partialFingerprints: {
      "faultlineFinding/v1": fingerprintOf(finding),
    },
    properties: {
      boundary: finding.boundary,
      verdict: finding.verdict,
      subject: finding.subject,
      measures: finding.measures,
      missing: finding.missing,
      fixes: finding.fixes,
      nextChecks: finding.nextChecks,
      evidence: finding.evidence,
    },
  };
}

function messageOf(finding: Finding): string {
  const lines = [finding.title, `Expected: ${finding.expected}.`, `Actual: ${finding.actual}.`];
  if (finding.missing.length > 0) lines.push(`Missing: ${finding.missing.join("; ")}.`);
  const fix = finding.fixes[0];
  if (fix !== undefined) lines.push(`Fix: ${fix.description}`);
  return lines.join("\n");
}

/** Each place once: the file that the evidence came from, and within it the object or span. */
function locationsOf(finding: Finding, sources: ReadonlyMap<string, string>): unknown[] {
  const places = new Map<string, unknown>();
  for (const { evidenceId, locator } of finding.evidence) {
    for (const name of (sources.get(evidenceId) ?? "").split(", ")) {
      if (name === "") continue;
      const logical = locator ?? finding.subject.name;
      places.set(`${name}\n${logical}`, {
        ...fileLocation(name),
        logicalLocations: [{ name: finding.subject.name, fullyQualifiedName: logical }],
      });
    }
  }
  return [...places.values()].slice(0, locationsMax);
}

function fileLocation(name: string): { physicalLocation: unknown } {
  return { physicalLocation: { artifactLocation: { uri: uriOf(name) } } };
}

/** A path as the relative or absolute URI reference that SARIF wants. */
function uriOf(name: string): string {
  const path = name.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  return path.startsWith("/") ? `file://${path}` : path;
}

function unreadableText(file: CheckReport["unreadable"][number]): string {
  const where = file.where === undefined ? "" : ` (${file.where})`;
  return `${file.name} could not be read${where}: ${file.message} Expected: ${file.expected}.`;
}

/** `fan-out/repeated-query` as the PascalCase name that SARIF viewers show. */
function ruleName(id: string): string {
  return id
    .split(/[^a-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
