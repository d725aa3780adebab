/** The dashboard of the gateway asks only for what the gateway shows. */

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { exchange } from "../test/raw-client.ts";
import { openTestGateway, testSecret } from "../test/test-gateway.ts";

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
  readonly panels: readonly {
    readonly type: string;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

it("has queries in every panel, of metrics and labels that exist", async () => {
  const file = new URL("../../../../../deploy/grafana/faultline-gateway.json", import.meta.url);
  // The file is ours; a field that is missing fails below.
  const dashboard = JSON.parse(readFileSync(file, "utf8")) as Dashboard;
  await using world = await openTestGateway();
  await exchange(
    world.gateway.port,
    ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${testSecret}`],
    '{"model":"simulated","messages":[{"role":"user","content":"x"}]}',
  );
  const text = await world.gateway.metrics();
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  const labels = new Set([...text.matchAll(/[{,]([a-z_]+)="/g)].map(([, label]) => label));
  // These come with the first failure, refusal, or attempt that fails.
  for (const label of ["code", "scope", "dimension", "reason"]) labels.add(label);

  const panels = dashboard.panels.filter(({ type }) => type !== "row");
  expect(panels.filter(({ targets = [] }) => targets.length === 0)).toEqual([]);
  const queries = [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
    ...dashboard.annotations.list.flatMap(({ expr }) => expr ?? []),
  ];
  const names = queries.flatMap((query) => query.match(/faultline_\w+/g) ?? []);
  expect(names.length).toBeGreaterThanOrEqual(queries.length);
  const unknown = names.filter(
    (name) => !types.has(name) && types.get(name.replace(/_bucket$/, "")) !== "histogram",
  );
  expect(unknown).toEqual([]);
  const grouped = queries
    .flatMap((query) => [...query.matchAll(/by \(([^)]*)\)/g)].map(([, list = ""]) => list))
    .flatMap((list) => list.split(",").map((label) => label.trim()));
  expect(grouped.filter((label) => !labels.has(label))).toEqual([]);
  // Counters are asked for as rates, and gauges as they are.
  const wrong = queries.filter((query) =>
    [...query.matchAll(/(rate|increase)\((faultline_\w+)/g)].some(
      ([, , name = ""]) => types.get(name) === "gauge",
    ),
  );
  expect(wrong).toEqual([]);
});
