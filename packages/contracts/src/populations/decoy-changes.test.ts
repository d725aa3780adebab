import { describe, expect, it } from "vitest";

import type { ChangeEvent } from "../model/changes.ts";
import { culpritChange } from "./culprit-change.ts";
import {
  deployed,
  failureLines,
  incident,
  type IncidentParts,
  onsetMicros,
  stepSeries,
} from "./incident-maker.ts";

const minute = 60e6;

const series = [
  stepSeries("orders", "error_rate", [0.01, 0.4]),
  stepSeries("cart", "latency_ms", [20, 20]),
  stepSeries("mail", "error_rate", [0.01, 0.01]),
];
const crash = "Traceback: AttributeError: 'NoneType' object has no attribute 'city' in map_address";
const crashes: IncidentParts = { series, lines: failureLines("orders", crash) };

const guard = "    if address is None:\n";
const culprit = {
  id: "c1a",
  message: "fix: simplify address mapping",
  path: "services/orders/address.py",
  diff: `-${guard}-        return None\n     return address.city\n`,
};
const culpritId = "c1a".padEnd(40, "0");
const repaired = { ...culprit, diff: `+${guard}+        return None\n     return address.city\n` };
const revertOf = (title: string, hash: string): string =>
  `Revert "${title}"\n\nThis reverts commit ${hash}.`;

function bump(library: string, [from, to]: readonly [string, string]): ChangeEvent[] {
  return deployed(
    {
      id: "b1",
      message: `chore(deps): bump ${library} from ${from} to ${to}`,
      path: "services/orders/requirements.txt",
      diff: `-${library}==${from}\n+${library}==${to}\n`,
    },
    "orders",
    4,
  );
}

function flag(name: string): ChangeEvent {
  const timeMicros = onsetMicros - minute;
  return { kind: "flag", name, service: "orders", before: "off", after: "on", timeMicros };
}

const unrelated = deployed(
  {
    id: "d1",
    message: "feat: new search ranking",
    path: "services/cart/rank.py",
    diff: "+    for item in items:\n+        item.score = db.query(item.id)\n",
  },
  "cart",
  1,
);

function named(parts: IncidentParts, events: readonly ChangeEvent[]): readonly [unknown, unknown] {
  const [finding] = culpritChange.check(incident({ ...parts, events }));
  return [finding?.verdict, finding?.verdict === "violated" ? finding.subject.name : "none"];
}

describe("a decoy is not named", () => {
  it("beside the change an hour before, though it came last, in another service", () => {
    expect(named(crashes, [...deployed(culprit, "orders", 60), ...unrelated])).toEqual([
      "violated",
      culpritId,
    ]);
    expect(named(crashes, unrelated)[1]).toBe("none");
  });

  it.each(["services/orders/README.md", "services/orders/tests/test_address.py"])(
    "that changes only %s",
    (path) => {
      const decoy = deployed({ ...culprit, id: "d2", path }, "orders", 1);
      expect(named(crashes, decoy)[1]).toBe("none");
    },
  );

  it("that was taken back before the failure began", () => {
    const back = { ...repaired, id: "r1", message: revertOf(culprit.message, culpritId) };
    const events = [...deployed(culprit, "orders", 90), ...deployed(back, "orders", 60)];
    expect(named(crashes, events)[1]).toBe("none");
  });

  it("that takes back the culprit after the failure began", () => {
    const back = { ...repaired, id: "r1", message: revertOf(culprit.message, culpritId) };
    const events = [...deployed(culprit, "orders", 10), ...deployed(back, "orders", -8)];
    expect(named(crashes, events)).toEqual(["violated", culpritId]);
  });

  it("that takes a library of another version of which nothing complains", () => {
    expect(named(crashes, bump("celery", ["4.1.0", "5.0.0"]))[1]).toBe("none");
    const both = [...deployed(culprit, "orders", 30), ...bump("requests", ["2.31.0", "2.31.1"])];
    expect(named(crashes, both)).toEqual(["violated", culpritId]);
  });

  it("that takes a library through which an outage outside is felt", () => {
    const text =
      "site-packages/requests/adapters.py: requests.exceptions.ConnectionError: getaddrinfo EAI_AGAIN: temporary failure in name resolution";
    const outage = { series, lines: failureLines("orders", text) };
    expect(named(outage, bump("requests", ["2.31.0", "3.0.0"]))).toEqual(["holds", "none"]);
  });

  it("that is a flag which no message names, or only lists", () => {
    expect(named(crashes, [flag("dark_mode")])[1]).toBe("none");
    const listed = { series, lines: failureLines("orders", `${crash} (flags: dark_mode_v2=on)`) };
    expect(named(listed, [flag("dark_mode_v2")])[1]).toBe("none");
  });
});

describe("what looks like a decoy is named where it could do it", () => {
  it("a revert that takes the repair back", () => {
    const back = { ...culprit, id: "d4", message: revertOf("fix: guard address", "abcdef12345") };
    expect(named(crashes, deployed(back, "orders", 3))).toEqual(["violated", "d4".padEnd(40, "0")]);
  });

  it("a library whose new interface the message complains of", () => {
    const text =
      "Traceback: site-packages/pydantic/main.py: pydantic.errors.PydanticUserError: `regex` is removed. use `pattern` instead";
    const failing = { series, lines: failureLines("orders", text) };
    expect(named(failing, bump("pydantic", ["1.10.13", "2.6.0"]))).toEqual([
      "violated",
      "b1".padEnd(40, "0"),
    ]);
  });

  it("a flag whose path the message names", () => {
    const text = "new_pricing_engine: KeyError: 'tier' in price_for";
    const failing = { series, lines: failureLines("orders", text) };
    expect(named(failing, [flag("new_pricing_engine")])).toEqual([
      "violated",
      "flag new_pricing_engine",
    ]);
  });

  it("a commit that was carried by the deploy of a later one", () => {
    const events = [
      ...deployed(culprit, "orders", 40).filter(({ kind }) => kind === "commit"),
      ...deployed(
        {
          id: "e3",
          message: "feat: banner",
          path: "services/orders/banner.py",
          diff: "+BANNER = 'hi'\n",
        },
        "orders",
        5,
      ),
    ];
    expect(named(crashes, events)).toEqual(["violated", culpritId]);
  });
});
