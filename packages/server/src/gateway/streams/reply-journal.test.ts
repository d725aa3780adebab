/** What a journal of replies keeps, gives back and drops, and what it does when the disk does not take it. */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as startRequest } from "node:http";

import { type Clock, seededRandom, systemClock } from "#kernel/index.ts";
import { type JournalFileSystem, nodeFileSystem } from "@faultline/journal";
import type { PlatformError, TenantId } from "@faultline/protocol";
import { until } from "@faultline/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Guarded } from "../calls/deadlines.ts";
import { exchange } from "../test/raw-client.ts";
import { openTestServer } from "../test/test-gateway.ts";
import { Follower } from "./follower.ts";
import { KeptReply } from "./kept-reply.ts";
import { streamLimits } from "./limits.ts";
import type { KeyedRequest } from "./reply-facts.ts";
import { ReplyJournal } from "./reply-journal.ts";
import { ReplyRecorder } from "./reply-recorder.ts";

const signal = new AbortController().signal;
const megabyte = 1_048_576;
const head = { "content-type": "text/event-stream" };

describe("a journal of replies", () => {
  let folder: string;
  let offsetMs: number;
  let bytesMax: number;
  let retentionMs: number;
  let dropped: (readonly [KeptReply, KeptReply | undefined])[];
  let fault: { readonly code: string; readonly at: "write" | "sync" } | undefined;
  /** Wall time that a test can move on; the rest is that of the system. */
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs };

  beforeEach(async () => {
    folder = await mkdtemp("/tmp/faultline-replies-");
    offsetMs = 0;
    bytesMax = 256 * megabyte;
    retentionMs = 1_000;
    dropped = [];
    fault = undefined;
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  /** The disk of this machine, which fails as the test asks. */
  const fileSystem: JournalFileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      const failIf = (at: "write" | "sync"): void => {
        if (fault?.at === at) throw Object.assign(new Error("planted"), { code: fault.code });
      };
      return {
        size: () => file.size(),
        read: (into, offset) => file.read(into, offset),
        write: async (bytes, offset) => {
          failIf("write");
          return await file.write(bytes, offset);
        },
        truncate: (length) => file.truncate(length),
        sync: async () => {
          failIf("sync");
          await file.sync();
        },
        close: () => file.close(),
      };
    },
  };

  async function open(): Promise<ReplyJournal> {
    return await ReplyJournal.open({
      folder,
      clock,
      random: seededRandom("replies"),
      signal,
      fileSystem,
      bounds: () => ({ retentionMs, bytesMax }),
      onDropped: (reply, successor) => dropped.push([reply, successor]),
    });
  }

  function record(
    journal: ReplyJournal,
    { id = "str_0_x", key }: { id?: string; key?: KeyedRequest } = {},
  ): ReplyRecorder & { readonly failures: PlatformError[] } {
    const facts = { id, surface: "chat", startedMs: 0, epoch: 0, durable: true, key } as const;
    const reply = new KeptReply({ ...facts, tenantId: "acme" as TenantId });
    const failures: PlatformError[] = [];
    const recorder = new ReplyRecorder(reply, journal);
    recorder.start({ fail: (error) => failures.push(error) }, { surface: "chat", durable: true });
    return Object.assign(recorder, { failures });
  }

  const event = (text: string): string => `data: ${text}\n\n`;

  async function recordWhole(
    journal: ReplyJournal,
    options: { id?: string; key?: KeyedRequest; texts?: readonly string[] } = {},
  ): Promise<KeptReply> {
    const recorder = record(journal, options);
    await new Promise<void>((resolve) => recorder.beforeDispatch(resolve));
    recorder.writeHead(200, head);
    for (const text of options.texts ?? ["a", "b"]) {
      if (!recorder.write(event(text))) {
        await new Promise<void>((resolve) => recorder.once("drain", resolve));
      }
    }
    recorder.end();
    recorder.settle("kept");
    await until(() => recorder.reply.isEndDurable);
    return recorder.reply;
  }

  it("gives a reply back that memory has forgotten, to a reader that is slow", async () => {
    await using journal = await open();
    const texts = Array.from({ length: 300 }, (_, index) => `${index}`.repeat(8_000));
    // Another reply stands between its parts.
    const other = record(journal, { id: "str_0_y" });
    other.writeHead(200, head);
    other.write(event("other"));
    const reply = await recordWhole(journal, { texts });
    expect(reply.memoryBytes).toBeLessThanOrEqual(streamLimits.openMemoryBytesMax);
    expect(reply.partAt(0)).toBeUndefined();
    const deadlines = { add: () => {}, remove: () => {} };
    await using server = await openTestServer((_request, response) => {
      Follower.start(
        reply,
        { response, from: 1, isLive: false, headers: {} },
        {
          clock,
          deadlines,
          log: () => {},
          readParts: (own, from, left) => journal.readParts(own, from, left),
        },
      );
    });
    const request = startRequest({ port: server.port });
    request.end();
    const [response] = await once(request, "response");
    const parts: Buffer[] = [];
    for await (const part of response) {
      parts.push(part);
      await new Promise(setImmediate);
    }
    const whole = texts
      .map((text, index) => `data: ${text}\nid: ${journal.epoch}-${index + 1}\n\n`)
      .slice(1);
    expect(Buffer.concat(parts).toString() === whole.join("")).toBe(true);
  });

  it("does not wait for ever for a reader that takes nothing", async () => {
    await using journal = await open();
    // More than the buffers of a connection hold.
    const texts = Array.from({ length: 32 }, () => "x".repeat(megabyte));
    const reply = await recordWhole(journal, { texts });
    const guarded = new Set<Guarded>();
    let isClosed = false;
    await using server = await openTestServer((_request, response) => {
      response.on("close", () => {
        isClosed = true;
      });
      const deadlines = {
        add: (one: Guarded) => guarded.add(one),
        remove: (one: Guarded) => guarded.delete(one),
      };
      const place = { response, from: 0, isLive: false, headers: {} };
      const readParts: ReplyJournal["readParts"] = (...asked) => journal.readParts(...asked);
      Follower.start(reply, place, { clock, deadlines, log: () => {}, readParts });
    });
    const request = startRequest({ port: server.port });
    request.on("error", () => {});
    request.end();
    await once(request, "response");
    await until(() => guarded.size > 0);
    for (const one of guarded) one.onTick(clock.monotonicMs() + streamLimits.readerStallMs / 2);
    expect(reply.followerCount).toBe(1);
    await until(() => {
      for (const one of guarded) one.onTick(clock.monotonicMs() + streamLimits.readerStallMs + 1);
      return isClosed;
    });
    expect([reply.followerCount, guarded.size]).toEqual([0, 0]);
    request.destroy();
  });

  it("drops what is past its time, also over a restart", async () => {
    const journal = await open();
    const reply = await recordWhole(journal);
    offsetMs = 900;
    const later = await recordWhole(journal, { id: "str_0_y" });
    await journal[Symbol.asyncDispose]();
    offsetMs = 1_500;
    await using next = await open();
    expect([...next.replies].map(({ facts }) => facts.id)).toEqual([later.facts.id]);
    expect(dropped.map(([own]) => own.facts.id)).toEqual([reply.facts.id]);
    expect(next.epoch).toBe(2);
  });

  it("makes room, and remembers the keys of what it drops", async () => {
    bytesMax = 64 * megabyte;
    retentionMs = 60_000;
    const journal = await open();
    const texts = Array.from({ length: 12 }, () => "x".repeat(megabyte));
    const key = { keyHash: "k", requestHash: "r" };
    await recordWhole(journal, { id: "str_0_key", key, texts });
    for (let index = 0; index < 4; index += 1) {
      await recordWhole(journal, { id: `str_0_${index}`, texts });
    }
    // Nearly full: whoever comes is refused while the oldest is on its way out.
    let refused = 0;
    await until(async () => {
      try {
        await recordWhole(journal, { id: "str_0_last" });
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: "storage_full" });
        refused += 1;
        await new Promise(setImmediate);
        return false;
      }
    });
    expect(refused).toBeLessThan(1_000);
    const [[gone, successor] = []] = dropped;
    expect([gone?.facts.id, successor?.end?.outcome]).toEqual(["str_0_key", "dropped"]);
    await journal[Symbol.asyncDispose]();
    await using next = await open();
    const kept = [...next.replies].filter(({ facts }) => facts.key !== undefined);
    expect(kept.map(({ end }) => end?.outcome)).toContain("dropped");
  });

  it("without room breaks off what is under way, refuses the next, and works again when there is room", async () => {
    await using journal = await open();
    const whole = await recordWhole(journal);
    const recorder = record(journal, { id: "str_0_y" });
    recorder.writeHead(200, head);
    recorder.write(event("a"));
    await until(() => recorder.reply.durableCount === 1);
    fault = { code: "ENOSPC", at: "write" };
    recorder.write(event("b"));
    await until(() => recorder.failures.length > 0);
    expect(recorder.failures.map(({ code }) => code)).toEqual(["storage_full"]);
    recorder.settle("kept");
    const next = record(journal, { id: "str_0_z" });
    await until(() => next.failures.length > 0);
    expect(next.failures[0]?.code).toBe("storage_full");
    fault = undefined;
    expect((await recordWhole(journal, { id: "str_0_w" })).durableCount).toBe(2);
    const parts: string[] = [];
    for await (const { bytes } of journal.readParts(whole, 0, signal)) parts.push(bytes.toString());
    expect(parts).toEqual(["data: a\nid: 1-1\n\n", "data: b\nid: 1-2\n\n"]);
  });

  it("drops in its time what the disk did not take to its end", async () => {
    await using journal = await open();
    const broken = record(journal, { id: "str_0_broken" });
    const endless = record(journal, {
      id: "str_0_endless",
      key: { keyHash: "k", requestHash: "r" },
    });
    for (const recorder of [broken, endless]) {
      recorder.writeHead(200, head);
      recorder.write(event("a"));
      await until(() => recorder.reply.durableCount === 1);
    }
    fault = { code: "ENOSPC", at: "write" };
    broken.write(event("b"));
    endless.end();
    endless.settle("kept");
    await until(() => broken.failures.length > 0 && endless.reply.isJournalLost);
    broken.settle("kept");
    fault = undefined;
    // What a restart could not tell either.
    expect(endless.reply.end?.outcome).toBe("dropped");
    offsetMs = 5_000;
    bytesMax = 1;
    expect(() => record(journal, { id: "str_0_next" })).toThrow(/no room/);
    expect(dropped.map(([{ facts }]) => facts.id)).toEqual(["str_0_broken", "str_0_endless"]);
  });

  it("keeps nothing of a call that ended before it was written down", async () => {
    await using journal = await open();
    const facts = {
      id: "str_0_x",
      surface: "chat",
      startedMs: 0,
      epoch: 0,
      durable: false,
    } as const;
    const key = { keyHash: "k", requestHash: "r" };
    const recorder = new ReplyRecorder(
      new KeptReply({ ...facts, key, tenantId: "acme" as TenantId }),
      journal,
    );
    recorder.writeHead(422, {});
    recorder.end("refused");
    recorder.settle("kept");
    expect(recorder.reply.end?.outcome).toBe("released");
  });

  it("whose sync failed takes no more, and after a restart has what it acknowledged", async () => {
    const journal = await open();
    await recordWhole(journal);
    fault = { code: "EIO", at: "sync" };
    const recorder = record(journal, { id: "str_0_y" });
    await until(() => recorder.failures.length > 0);
    expect(recorder.failures[0]?.code).toBe("journal_unavailable");
    fault = undefined;
    expect(() => record(journal, { id: "str_0_z" })).toThrow(/takes no records/);
    await journal[Symbol.asyncDispose]();
    await using next = await open();
    expect([...next.replies][0]?.durableCount).toBe(2);
    expect((await recordWhole(next, { id: "str_0_w" })).facts.epoch).toBe(2);
  });

  it("whose sync failed tells those who read along in their dialect, and cuts them off", async () => {
    const journal = await open();
    const streaming = record(journal, { id: "str_0_streaming" });
    const silent = record(journal, { id: "str_0_silent" });
    for (const one of [streaming, silent]) {
      await new Promise<void>((resolve) => one.beforeDispatch(resolve));
    }
    streaming.writeHead(200, head);
    streaming.write(event('{"id":"c"}'));
    await until(() => streaming.reply.durableCount === 1);
    const guarded = new Set<Guarded>();
    const deadlines = {
      add: (one: Guarded) => guarded.add(one),
      remove: (one: Guarded) => guarded.delete(one),
    };
    const readParts: ReplyJournal["readParts"] = (...asked) => journal.readParts(...asked);
    await using server = await openTestServer((request, response) => {
      const { reply } = request.url === "/silent" ? silent : streaming;
      const place = { response, from: 0, isLive: false, headers: {} };
      Follower.start(reply, place, { clock, deadlines, log: () => {}, readParts });
    });
    const replies = ["/silent", "/streaming"].map(
      async (path) => await exchange(server.port, [`GET ${path} HTTP/1.1`]),
    );
    await until(() => streaming.reply.followerCount + silent.reply.followerCount === 2);
    fault = { code: "EIO", at: "sync" };
    streaming.write(event('{"id":"lost"}'));
    silent.writeHead(200, head);
    await until(() => streaming.failures.length > 0 && silent.failures.length > 0);
    expect(journal.failure).toContain("planted");
    await until(() => {
      for (const one of guarded) one.onTick(clock.monotonicMs() + 1_000);
      return guarded.size === 0;
    });
    const [whole, cut] = await Promise.all(replies);
    expect([whole?.status, whole?.whole]).toEqual([503, true]);
    expect(whole?.body.toString()).toContain('"code":"journal_unavailable"');
    expect([cut?.status, cut?.whole]).toEqual([200, false]);
    const events = cut?.body.toString().split("\n\n") ?? [];
    expect(events).toEqual([
      'data: {"id":"c"}\nid: 1-1',
      expect.stringMatching(/^data: \{"error":.*"code":"journal_unavailable"/),
      "",
    ]);
    await journal[Symbol.asyncDispose]();
  });

  it("says what a crash has left of each reply, once and for all", async () => {
    const journal = await open();
    const key = { keyHash: "k", requestHash: "r" };
    const begun = record(journal, { id: "str_0_begun", key: { ...key, keyHash: "begun" } });
    const sent = record(journal, { id: "str_0_sent", key });
    await new Promise<void>((resolve) => sent.beforeDispatch(resolve));
    const streaming = record(journal, { id: "str_0_streaming" });
    await new Promise<void>((resolve) => streaming.beforeDispatch(resolve));
    streaming.writeHead(200, head);
    streaming.write(event('{"id":"c"}'));
    await until(() => streaming.reply.durableCount === 1);
    expect(begun.reply.end).toBeUndefined();
    // Its lock goes with it; what it had not ended stays open, as in a crash.
    await journal[Symbol.asyncDispose]();
    for (const epoch of [2, 3]) {
      await using next = await open();
      expect(next.epoch).toBe(epoch);
      const replies = [...next.replies];
      await until(() => replies.every(({ isEndDurable }) => isEndDurable));
      expect(replies.map(({ facts, end }) => [facts.id, end?.outcome, end?.how])).toEqual([
        ["str_0_begun", "released", "broken"],
        ["str_0_sent", "unknown", "cut"],
        ["str_0_streaming", "unknown", "cut"],
      ]);
      const parts: string[] = [];
      const last = replies[2];
      if (last === undefined) throw new Error("There are three.");
      for await (const { bytes } of next.readParts(last, 0, signal)) parts.push(bytes.toString());
      expect(parts).toEqual([
        'data: {"id":"c"}\nid: 1-1\n\n',
        expect.stringMatching(/^data: \{"error":.*stream_interrupted.*\}\nid: 2-2\n\n$/),
      ]);
    }
  });
});
