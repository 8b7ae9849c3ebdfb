import { describe, expect, test } from "@jest/globals";
import type { Alert, Transition } from "../../src/domain/alert.ts";
import { hear, type Known, type Notice } from "../../src/domain/notice-decisions.ts";
import { aNotice, anAlert, NOW } from "../alert-factory.ts";

const nothing: Known = { open: undefined, starts: new Set() };
const knows = (open: Alert): Known => ({ open, starts: new Set([open.startMs]) });
const told = (steps: readonly Transition[]) =>
  steps.map(({ fact, alert }) => [fact, alert.startMs, alert.version]);

const T1 = NOW - 60_000;
const T2 = NOW - 30_000;

describe("what Alertmanager says", () => {
  test("begins an alert that is not known", () => {
    const [step, ...more] = hear(nothing, [aNotice({ startMs: T1 })], NOW);
    expect(more).toEqual([]);
    expect(step).toMatchObject({
      fact: "AlertFired",
      from: undefined,
      alert: { status: "FIRING", version: 1 },
    });
  });

  test.each(["FIRING", "ACKNOWLEDGED", "MUTED"] as const)(
    "A3: again of an alert that is %s changes nothing",
    (status) => {
      const open = anAlert(status);
      expect(hear(knows(open), [aNotice(), aNotice()], NOW)).toEqual([]);
    },
  );

  test("A3: of an occurrence that is over changes nothing, whether it fires or ends", () => {
    const known = { open: undefined, starts: new Set([T1]) };
    expect(hear(known, [aNotice({ startMs: T1 }), aNotice({ startMs: T1, overMs: T2 })], NOW)).toEqual([]);
  });

  test.each(["FIRING", "ACKNOWLEDGED", "MUTED"] as const)(
    "ends an alert that is %s, and a mute with it",
    (status) => {
      const open = anAlert(status);
      expect(hear(knows(open), [aNotice({ overMs: T2 })], NOW)).toMatchObject([
        { fact: "AlertResolved", alert: { status: "RESOLVED", endMs: T2, mute: undefined } },
      ]);
    },
  );

  test.each([
    ["in the future ends it now", NOW + 5_000, NOW],
    ["before its start ends it at its start", T1 - 5_000, T1],
  ])("of an end %s", (_what, overMs, endMs) => {
    const open = anAlert("FIRING", { startMs: T1 });
    expect(hear(knows(open), [aNotice({ startMs: T1, overMs })], NOW)).toMatchObject([{ alert: { endMs } }]);
  });

  test("keeps an alert that came and went between two notifications", () => {
    expect(told(hear(nothing, [aNotice({ startMs: T1, overMs: T2 })], NOW))).toEqual([
      ["AlertFired", T1, 1],
      ["AlertResolved", T1, 2],
    ]);
  });

  test("A4: of a later occurrence ends the one before it, at the start of the later", () => {
    const open = anAlert("ACKNOWLEDGED", { startMs: T1 });
    const steps = hear(knows(open), [aNotice({ startMs: T2 })], NOW);
    expect(told(steps)).toEqual([
      ["AlertResolved", T1, 3],
      ["AlertFired", T2, 1],
    ]);
    expect(steps[0]?.alert.endMs).toBe(T2);
  });

  test("of an earlier start of what is open is about the same occurrence: it fires on, and it ends", () => {
    const open = anAlert("FIRING", { startMs: T2 });
    expect(hear(knows(open), [aNotice({ startMs: T1 })], NOW)).toEqual([]);
    expect(told(hear(knows(open), [aNotice({ startMs: T1, overMs: NOW })], NOW))).toEqual([
      ["AlertResolved", T2, 2],
    ]);
  });

  test("of the end of an occurrence before does not end the one that is open", () => {
    const open = anAlert("FIRING", { startMs: T2 });
    const known = { open, starts: new Set([T1, T2]) };
    expect(hear(known, [aNotice({ startMs: T1, overMs: NOW })], NOW)).toEqual([]);
  });
});

/** Words of an Alertmanager that knows one occurrence at a time, repeats itself, and forgets everything at times. */
function randomWords(next: () => number): readonly Notice[] {
  const words: Notice[] = [];
  let startMs = T1;
  for (let word = 0; word < 40; word += 1) {
    const draw = next();
    if (draw < 0.3) startMs += 1 + Math.floor(next() * 3);
    const overMs = draw > 0.7 ? startMs + Math.floor(next() * 3) : undefined;
    words.push(aNotice({ startMs, overMs }));
    if (next() < 0.3) words.push(aNotice({ startMs, overMs }));
  }
  return words;
}

/** A small generator that anybody can seed again (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each(Array.from({ length: 50 }, (_, seed) => seed))(
  "A2, A3, A4 hold whatever is said, in one go or word by word: seed %d",
  (seed) => {
    const words = randomWords(seeded(seed));
    const atOnce = hear(nothing, words, NOW);
    let known: Known = nothing;
    const oneByOne = words.flatMap((word) => {
      const steps = hear(known, [word], NOW);
      const last = steps.at(-1)?.alert ?? known.open;
      const open = last?.status === "RESOLVED" ? undefined : last;
      known = { open, starts: new Set([...known.starts, ...steps.map(({ alert }) => alert.startMs)]) };
      return steps;
    });
    expect(told(oneByOne)).toEqual(told(atOnce));
    let open = 0;
    const starts = new Set<number>();
    const versions = new Map<string, number>();
    for (const { fact, alert } of atOnce) {
      expect(alert.version).toBe((versions.get(alert.id) ?? 0) + 1);
      versions.set(alert.id, alert.version);
      open += fact === "AlertFired" ? 1 : -1;
      expect(open === 0 || open === 1).toBe(true);
      if (fact === "AlertFired") expect(starts.has(alert.startMs)).toBe(false);
      starts.add(alert.startMs);
    }
  },
);
