import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { checkSnapshot } from "../check.ts";
import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";

/** Data that lies beside a checkout of the repository; its tests say why they are skipped without it. */
const shared = fileURLToPath(new URL("../../../../../shared/data/holmes-cases/", import.meta.url));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** What all contracts find in all files of a case but the one that tells its solution. */
function findingsOf(name: string): Finding[] {
  const paths = filesBelow(`${shared}${name}`).filter((path) => !path.endsWith("test_case.yaml"));
  const files = paths.map((path) => ({ name: path, bytes: readFileSync(path) }));
  return checkSnapshot(snapshotOf(readEvidence(files).evidence));
}

describe.skipIf(!existsSync(shared))(
  "recorded incidents (skipped where ../shared/data is absent)",
  () => {
    test.each([
      ["02_what_is_wrong_with_pod", "app-02/giant-narwhal", "killed because it ran out of memory"],
      [
        "09_crashpod",
        "default/payment-processing-worker",
        "the environment variable DEPLOY_ENV is not set",
      ],
      [
        "12_job_crashing",
        "default/java-api-checker",
        "fails to connect to the database at prod-db:3333",
      ],
      [
        "13a_pending_node_selector_basic",
        "app-13a/user-profile-import",
        "no node has the label label=someLabel",
      ],
      [
        "21_job_fail_curl_no_svc_account",
        "default/get-data",
        "kldsvklnsdiogjerkngernjk23432i90erfefjio.com could not be resolved",
      ],
      [
        "24a_misconfigured_pvc_basic",
        "app-24a/redis-standard-pvc",
        'storage class "standard-v2" does not exist',
      ],
      ["57_wrong_namespace", "test-57/video-streamer", "it belongs to namespace test-57"],
    ])("%s: %s: %s", (name, subject, cause) => {
      const violated = findingsOf(name).filter(({ verdict }) => verdict === "violated");
      const ours = violated.filter((finding) => finding.subject.name.startsWith(subject));
      expect(ours.map(({ title }) => title).join("\n")).toContain(cause);
      for (const { evidence, causeKind } of ours) {
        expect(evidence).not.toEqual([]);
        expect(causeKind).not.toBe("none");
      }
    });

    test("65_health_check_followup is well: nothing is violated", () => {
      expect(
        findingsOf("65_health_check_followup").filter(({ verdict }) => verdict === "violated"),
      ).toEqual([]);
    });

    test("the refusal that was followed by a success is not taken for the cause", () => {
      const titles = findingsOf("21_job_fail_curl_no_svc_account")
        .filter(
          ({ verdict, subject }) =>
            verdict === "violated" && subject.name.startsWith("default/get-data"),
        )
        .map(({ title }) => title);
      expect(titles.join("\n")).not.toContain("ServiceAccount");
    });
  },
);
