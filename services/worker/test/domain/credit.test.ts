import { describe, expect, test } from "@jest/globals";
import { shareCredit } from "../../src/domain/credit.ts";

const IDLE = { slots: 100, running: 0, unreported: 0 };

describe("free slots are shared", () => {
  test.each([
    { why: "evenly at the start", load: IDLE, lent: [0, 0], more: [50, 50] },
    {
      why: "so that an odd slot goes to one of them",
      load: { ...IDLE, slots: 3 },
      lent: [0, 0],
      more: [2, 1],
    },
    { why: "first to the replica that has less", load: IDLE, lent: [60, 0], more: [0, 40] },
    { why: "not at all when credit stands for every slot", load: IDLE, lent: [100, 0], more: [0, 0] },
    { why: "not at all when every slot runs", load: { ...IDLE, running: 100 }, lent: [0, 0], more: [0, 0] },
    { why: "while results travel", load: { ...IDLE, running: 50, unreported: 100 }, lent: [0], more: [50] },
    {
      why: "no more while results pile up",
      load: { ...IDLE, running: 0, unreported: 200 },
      lent: [0],
      more: [0],
    },
    { why: "with nobody", load: IDLE, lent: [], more: [] },
  ])("$why", ({ load, lent, more }) => {
    expect(shareCredit(load, lent)).toEqual(more);
  });

  test("and never more than there are, whatever lies where", () => {
    for (let slots = 1; slots <= 12; slots += 1) {
      for (let running = 0; running <= slots; running += 1) {
        for (const lent of [[0], [0, 0], [3, 0], [1, 2, 0], [5, 5, 5]]) {
          const before = lent.reduce((sum, credit) => sum + credit, 0);
          const more = shareCredit({ slots, running, unreported: 0 }, lent).reduce(
            (sum, one) => sum + one,
            0,
          );
          expect(more).toBe(Math.max(0, slots - running - before));
        }
      }
    }
  });
});
