import { describe, expect, it } from "vitest";

import type { EvidenceContent } from "../model/evidence.ts";
import { createSnapshot } from "./create-snapshot.ts";
import { isEvidenceContent } from "./check-content.ts";
import { redactSnapshot } from "./redact.ts";

const source = { name: "x", format: "x", notes: [] };

function redacted(content: EvidenceContent): EvidenceContent {
  const snapshot = createSnapshot([{ source, content }]);
  const once = redactSnapshot(snapshot).snapshot;
  expect(redactSnapshot(once).redactedCount).toBe(0);
  const [item] = once.evidence;
  if (item === undefined || !isEvidenceContent(item.content))
    throw new Error("it is evidence still");
  return item.content;
}

describe("lines of logs", () => {
  it.each([
    'login {"password":"hunter2hunter2"}',
    "GET /x?token=hunter2hunter2",
    "refresh token=hunter2hunter2 user=7",
    'csrf_token: "hunter2hunter2"',
    "Authorization: Bearer hunter2hunter2",
    "Cookie: sid=hunter2hunter2; a=b",
    "postgres://app:hunter2hunter2@db/x",
    "mail to hunter2hunter2@corp.example.org",
  ])("lose what is secret in %j", (text) => {
    const content = redacted({
      kind: "logs",
      lines: [{ text, attributes: { "http.request.header.authorization": ["hunter2hunter2"] } }],
    });
    expect(JSON.stringify(content)).not.toContain("hunter2");
  });

  it.each([
    "used 512 tokens, token: 1024",
    "token_count=12345678",
    "cookie jar is empty",
    "2023-11-14T22:13:20Z INFO up",
  ])("keep %j", (text) => {
    const content: EvidenceContent = {
      kind: "logs",
      about: { pod: "web-1", isPrevious: true },
      lines: [{ text, timeMicros: 1, traceId: "0af7651916cd43dd8448eb211c80319c" }],
    };
    expect(redacted(content)).toEqual(content);
  });
});

it("labels of metrics lose what is secret and keep the rest", () => {
  const series = {
    name: "requests_total",
    labels: { job: "web", api_key: "hunter2", user: "ann@corp.example.org", le: "0.5" },
    type: "counter" as const,
    timesMicros: [1, 2],
    values: [3, 4],
  };
  expect(redacted({ kind: "metrics", series: [series] })).toEqual({
    kind: "metrics",
    series: [
      {
        ...series,
        labels: {
          job: "web",
          api_key: "[redacted-secret-field-1]",
          user: "redacted-1@example.invalid",
          le: "0.5",
        },
      },
    ],
  });
});

it("facts of an environment lose what is secret and keep the rest", () => {
  const kept = {
    "env.LANG": "C",
    "env.KEYBOARD": "us",
    "runtime.node": "20.1.0",
    "env.MAX_TOKENS": "512",
  };
  const secret = {
    "env.PGPASSWORD": "hunter2",
    "env.DB_PASS": "hunter2",
    "env.STRIPE_KEY": "hunter2",
    "env.GITHUB_PAT": "hunter2",
    "env.DATABASE_URL": "postgres://app:hunter2@db/x",
    "env.AWS_SECRET_ACCESS_KEY": "hunter2",
    client_secret: "hunter2",
  };
  const content = redacted({ kind: "environment", name: "prod", facts: { ...kept, ...secret } });
  expect(content).toMatchObject({ facts: kept });
  expect(JSON.stringify(content)).not.toContain("hunter2");
});
