import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { loadConfig, noticeProviders } from "./index.ts";

const signal = new AbortController().signal;
const nobody = "http://127.0.0.1:9";
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(body: string): Promise<string> {
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  // A server that listens on TCP has an address with a port.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("noticeProviders", () => {
  const config = loadConfig({ environment: {}, workingFolder: "/" });

  it("offers nothing where nothing is", async () => {
    expect(
      await noticeProviders(config, signal, { environment: {}, ollamaAddress: nobody }),
    ).toEqual([]);
  });

  it("offers a provider for a key in the environment, without quoting the key", async () => {
    const environment = { OPENAI_API_KEY: "sk-very-secret", ANTHROPIC_API_KEY: "also-secret" };
    const offers = await noticeProviders(config, signal, { environment, ollamaAddress: nobody });
    expect(offers.map(({ noticed }) => noticed)).toEqual([
      "OPENAI_API_KEY is set.",
      "ANTHROPIC_API_KEY is set.",
    ]);
    expect(JSON.stringify(offers)).not.toContain("secret");
  });

  it("offers a local Ollama with its models, priced 0", async () => {
    const ollamaAddress = await serve(JSON.stringify({ models: [{ name: "llama3.2:1b" }] }));
    const [offer] = await noticeProviders(config, signal, { environment: {}, ollamaAddress });
    expect(offer?.yaml).toContain('models: [{ name: "llama3.2:1b" }]');
    expect(offer?.yaml).toContain("local: true");
  });

  it("does not take another server for Ollama", async () => {
    const ollamaAddress = await serve("<html>");
    expect(await noticeProviders(config, signal, { environment: {}, ollamaAddress })).toEqual([]);
  });

  it("offers lines that the configuration accepts", async () => {
    const environment = { OPENAI_API_KEY: "sk", ANTHROPIC_API_KEY: "sk" };
    const ollamaAddress = await serve(JSON.stringify({ models: [{ name: "m" }] }));
    const offers = await noticeProviders(config, signal, { environment, ollamaAddress });
    const workingFolder = mkdtempSync(path.join(tmpdir(), "faultline-offers-"));
    writeFileSync(
      path.join(workingFolder, "faultline.yaml"),
      `providers:\n${offers.map(({ yaml }) => yaml).join("\n")}\n`,
    );
    const accepted = loadConfig({ environment, workingFolder });
    expect(accepted.providers.map(({ name }) => name)).toEqual(["openai", "anthropic", "ollama"]);
    expect(await noticeProviders(accepted, signal, { environment, ollamaAddress })).toEqual([]);
  });
});
