import { expect, test } from "@jest/globals";
import type { Watches, WatchFrame } from "../../src/outbox/watch.ts";
import { type SentFrame, sendWatch } from "../../src/outbox/watch-frames.ts";

interface View {
  readonly version: number;
}

const FRAMES: readonly WatchFrame<View>[] = [
  { kind: "reset", version: 9 },
  { kind: "snapshot", view: { version: 2 } },
  { kind: "event", event: { aggregateId: "a", version: 3, name: "Ended", envelope: '{"n":1}' } },
];

/** Sends these frames, and notes what was asked and done. */
async function sentFor(lastEventId: string, frames = FRAMES) {
  const notes: unknown[] = [];
  const watches: Watches<View> = {
    watch: async function* (asked) {
      notes.push(asked.lastVersion);
      yield* frames;
    },
    nudge: () => undefined,
  };
  const call = { accept: () => undefined, signal: new AbortController().signal };
  const snapshot = ({ version }: View) => ({ version, data: { version } });
  const sent: SentFrame[] = [];
  for await (const frame of sendWatch(watches, { project: "p", id: "a", lastEventId }, { call, snapshot }))
    sent.push(frame);
  return { sent, notes };
}

test("a frame is sent under the version that a watcher can go on from", async () => {
  expect((await sentFor("")).sent).toEqual([
    { id: "9", event: "reset", data: {} },
    { id: "2", event: "snapshot", data: { version: 2 } },
    { id: "3", event: "Ended", data: { n: 1 } },
  ]);
});

test.each([
  ["3", 3],
  ["999999999", 999_999_999],
  ["0", 0],
  ["03", 0],
  ["1000000000", 0],
  ["-1", 0],
  ["1.5", 0],
  ["abc", 0],
])("the last frame %p is the version %p: what is none of ours is 0", async (lastEventId, version) => {
  expect((await sentFor(lastEventId)).notes[0]).toBe(version);
});
