import { describe, expect, it } from "vitest";

import { exportText, LedgerMaker } from "../../../test/ledger-maker.ts";
import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import type { EvidenceContent } from "../../model/evidence.ts";
import { readEvidence } from "../read-evidence.ts";
import { ledgerFormats } from "./formats.ts";

function read(...texts: readonly string[]) {
  const files = texts.map((text, index) => ({
    name: `file-${index}`,
    bytes: new TextEncoder().encode(text),
  }));
  return readEvidence(files);
}

function contentOf(text: string): EvidenceContent | undefined {
  const { evidence, unreadable } = read(text);
  expect(unreadable).toEqual([]);
  return evidence[0]?.content;
}

const entriesCsv = [
  "sequence,at,from,to,amount_micros,currency,reason,command_id,lot_id,hold_id,usage_id",
  "1,2026-11-01T10:00:00.000Z,grants/USD,credit/USD,10000,USD,granted,gift,gift,,",
  '2,2026-11-01T10:00:01.000Z,credit/USD,holds/USD,100,USD,held,op,gift,"op, ""quoted""",',
].join("\r\n");
const usageCsv = [
  "at,usage_id,hold_id,amount_micros,currency,provider,model,bundle_hash,key_id,user_id,tags,input_tokens",
  "2026-11-01T10:00:02.000Z,op:1,op,40,USD,openai,gpt,,key,'=ann,a b,12",
].join("\r\n");
const invoiceCsv =
  "provider;model;currency;amount;from;until\nopenai;gpt;USD;0.25;2026-10-01;2026-11-01\n";

describe("exports of a ledger", () => {
  const text = exportText(new LedgerMaker().grant(1_000n).content());

  it("are read line by line, one after another, and kept exactly", () => {
    expect(contentOf(text)).toMatchObject({ kind: "ledger", name: "tenant" });
    expect(contentOf(text)).not.toHaveProperty("isCut");
    expect(read(text + text.replace('"tenant"', '"other"')).evidence).toHaveLength(2);
  });

  it("say that they are cut, in the middle of a line or before their last one", () => {
    for (const cut of [text.slice(0, -40), text.trimEnd().split("\n").slice(0, -1).join("\n")]) {
      const { evidence } = read(cut);
      expect(evidence[0]?.content).toMatchObject({ isCut: true });
      expect(evidence[0]?.source.notes).toEqual([
        "The export ends before its last line: it is cut.",
      ]);
    }
  });

  it.each([
    [
      "an amount with decimals",
      { balanceMicros: "1.5" },
      "a whole number of micros in balanceMicros",
    ],
    [
      "an amount that no number holds",
      { balanceMicros: 2 ** 60 },
      "a whole number of micros in balanceMicros",
    ],
    ["no id", { balanceMicros: "1", id: "" }, "a text in id"],
  ])("are refused with the line of %s", (_name, change, expected) => {
    const [header = ""] = text.split("\n");
    const account = JSON.stringify({ account: { id: "credit/USD", ...change } });
    expect(read(`${header}\n${account}\n`).unreadable).toMatchObject([
      { where: "line 2, account", code: "evidence_unreadable", expected },
    ]);
  });

  it("of another version, or without a header, are refused", () => {
    expect(read(text.replace('"version":1', '"version":2')).unreadable[0]?.expected).toBe(
      "version 1",
    );
  });
});

describe("tables and answers of a ledger", () => {
  it("are read as what they are, with their quotes and guards taken off", () => {
    expect(contentOf(entriesCsv)).toMatchObject({
      entries: [
        {
          sequence: 1,
          timeMicros: 1_793_527_200_000_000,
          from: "grants/USD",
          amountMicros: "10000",
        },
        { sequence: 2, holdId: 'op, "quoted"', reason: "held" },
      ],
    });
    expect(contentOf(usageCsv)).toEqual({
      kind: "ledger",
      uses: [
        {
          id: "op:1",
          holdId: "op",
          timeMicros: 1_793_527_202_000_000,
          amountMicros: "40",
          currency: "USD",
          provider: "openai",
          model: "gpt",
        },
      ],
    });
    expect(contentOf(invoiceCsv)).toMatchObject({
      invoice: [
        {
          amountMicros: "250000",
          fromMicros: 1_790_812_800_000_000,
          untilMicros: 1_793_491_200_000_000,
        },
      ],
    });
    const answer = { entries: [{ sequence: 3, from: "a/USD", to: "b/USD", amountMicros: "1" }] };
    expect(contentOf(JSON.stringify(answer))).toMatchObject({ entries: [{ sequence: 3 }] });
    const balances = {
      accounts: [],
      lots: [],
      openHoldCount: 0,
      balances: [{ account: "a/USD", balanceMicros: "-1" }],
    };
    expect(contentOf(JSON.stringify(balances))).toMatchObject({
      accounts: [{ id: "a/USD", balanceMicros: "-1" }],
    });
  });

  it("refuse amounts of invoices that micros cannot say, and take credits below zero", () => {
    const amount = (text: string) =>
      read(`provider,model,currency,amount\nopenai,gpt,USD,${text}\n`);
    expect(amount("0.0000001").unreadable[0]?.expected).toContain("at most six decimals");
    expect(amount("1e3").unreadable[0]?.where).toBe("row 1 below the header");
    expect(amount("-1.50").evidence[0]?.content).toMatchObject({
      invoice: [{ amountMicros: "-1500000" }],
    });
  });

  it("are refused beyond as many rows as are taken", () => {
    const row = "openai,gpt,USD,0.25\n";
    const { unreadable } = read(`provider,model,currency,amount\n${row.repeat(100_001)}`);
    expect(unreadable).toMatchObject([{ expected: "at most 100000 rows" }]);
  });

  it("leave alone tables of calls, metrics and others that are none", () => {
    const kinds = (text: string) => read(text).evidence.map(({ content }) => content.kind);
    expect(kinds("from,to\nweb,orders\norders,db\n")).toEqual(["topology"]);
    expect(kinds("time,amount\n2026-11-01T00:00:00Z,1\n2026-11-01T00:01:00Z,2\n")).toEqual([
      "metrics",
    ]);
  });
});

describe("tables and answers of others", () => {
  const kindsOf = (text: string): string[] =>
    read(text).evidence.map(({ content }) => content.kind);

  it.each([
    ["a bill of a telephone", "usage_id,amount_micros,customer\n17,250000,ann\n"],
    [
      "a bill with currencies",
      "usage_id,amount_micros,currency,at\n17,5,USD,2026-11-01T10:00:00Z\n",
    ],
    ["advertising", "campaign,amount_micros,currency\nspring,250000,USD\n"],
    ["names that are only alike", "At,Usage ID,Hold-ID,Amount (micros),Currency\nx,1,2,3,USD\n"],
    ["payments", "from,to,amount_micros,sequence\nann,bob,5,1\n"],
    ["a book of somebody else", "sequence,from,to,amount_micros,reason\n1,ann,bob,5,rent\n"],
    ["cost by day", "date,provider,model,currency,amount\n2026-11-01,openai,gpt,USD,0.25\n"],
    ["list prices", "provider,model,currency,amount,unit\nopenai,gpt,USD,0.25,1M tokens\n"],
    ["cars", "provider,model,currency,amount,colour,doors\nvw,golf,EUR,25000,red,5\n"],
    ["a bank", '{"balances":[{"account":"checking","balanceMicros":"5"}]}'],
    ["a wallet", '{"balances":[{"account":{"id":1},"balance":"5"}]}'],
    ["a journal", '{"entries":[{"from":"ann","to":"bob","amountMicros":"1"}]}'],
    ["a warehouse", '{"lots":[{"id":1}],"openHoldCount":2}'],
  ])("are left alone: %s", (_what, text) => {
    expect(kindsOf(text)).not.toContain("ledger");
  });

  it("are ours with more columns, in any order", () => {
    const more = "until,from,amount,currency,model,provider,description\n";
    expect(kindsOf(`${more}2026-11-01,2026-10-01,0.25,USD,gpt,openai,October\n`)).toEqual([
      "ledger",
    ]);
    const uses = "note,currency,amount_micros,hold_id,usage_id,at\n";
    expect(kindsOf(`${uses}x,USD,40,op,op:1,2026-11-01T10:00:02.000Z\n`)).toEqual(["ledger"]);
  });
});

it("ends in a ledger or in a named fault for any input", () => {
  const made = new LedgerMaker().grant(1_000n);
  made.reserve("lease", "lent", 100n);
  const seeds = [
    exportText(made.use("lent", "u", { micros: 10n }).content()),
    entriesCsv,
    usageCsv,
    invoiceCsv,
    JSON.stringify({
      balances: [{ account: "a/USD", balanceMicros: "1" }],
      openHoldCount: 0,
      lots: [],
    }),
  ];
  survivesAnyInput(ledgerFormats, seeds);
}, 60_000);

it.each([
  [
    "deep nesting",
    `{"faultline":"ledger","version":1,"at":"2026-01-01T00:00:00Z"}\n${"[".repeat(5_000)}`,
  ],
  [
    "many lines of nothing",
    `{"faultline":"ledger","version":1,"at":"2026-01-01T00:00:00Z"}\n${"{}\n".repeat(100_000)}`,
  ],
  ["a long amount", `provider,model,currency,amount\na,b,USD,${"9".repeat(100_000)}\n`],
  [
    "a name of marks",
    `{"faultline":"ledger","version":1,"name":"\\ud800","at":"2026-01-01T00:00:00Z"}`,
  ],
])("does not hang on %s", (_name, text) => {
  readWithAll(ledgerFormats, new TextEncoder().encode(text));
});
