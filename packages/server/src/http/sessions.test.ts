import { seededRandom, simulatedClock } from "@faultline/testkit";
import { describe, expect, it } from "vitest";

import { httpLimits } from "./limits.ts";
import { Sessions } from "./sessions.ts";

const hourMs = 3_600_000;

describe("Sessions", () => {
  it("find the key that a session was made with", () => {
    const sessions = new Sessions(simulatedClock(), seededRandom("sessions"));
    const secret = sessions.create("hash of a key");
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(sessions.find(secret)).toBe("hash of a key");
    expect(sessions.find(`${secret}x`)).toBeUndefined();
  });

  it("end when they are told to, and after their hours", async () => {
    const clock = simulatedClock();
    const sessions = new Sessions(clock, seededRandom("sessions"));
    const [left, right] = [sessions.create("left"), sessions.create("right")];
    sessions.end(left);
    expect(sessions.find(left)).toBeUndefined();
    await clock.advance(httpLimits.sessionHoursMax * hourMs - 1);
    expect(sessions.find(right)).toBe("right");
    await clock.advance(1);
    expect(sessions.find(right)).toBeUndefined();
  });

  it("are bounded: the oldest makes room", () => {
    const sessions = new Sessions(simulatedClock(), seededRandom("sessions"));
    const oldest = sessions.create("oldest");
    const next = sessions.create("next");
    for (let count = 2; count <= httpLimits.sessionCountMax; count += 1) sessions.create("more");
    expect(sessions.find(oldest)).toBeUndefined();
    expect(sessions.find(next)).toBe("next");
  });
});
