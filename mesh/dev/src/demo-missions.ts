/** A mission as `POST /v1/missions` takes it: the fields that the demo uses. */
export interface DemoMission {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: unknown;
  readonly steps: readonly DemoStep[];
}

interface DemoStep {
  readonly name: string;
  readonly task: string;
  readonly input?: unknown;
  readonly after?: readonly string[];
  readonly undo?: { readonly task: string; readonly input?: unknown };
  readonly noUndo?: boolean;
  readonly pivot?: boolean;
}

const pause = (ms: number) => ({ task: "orrery.sleep", input: { ms } });
const undo = pause(200);

/** What missions come to, one of each in turn. */
const KINDS: readonly ((n: number) => Pick<DemoMission, "name" | "steps">)[] = [
  // Goes through, one step after the other.
  () => ({
    name: "order",
    steps: [
      { name: "reserve", ...pause(400), undo },
      { name: "charge", ...pause(600), undo, pivot: true },
      { name: "ship", ...pause(500), noUndo: true },
    ],
  }),
  // Its third step fails for good: the two before it are undone, the last one first.
  (n) => ({
    name: "trip",
    steps: [
      { name: "flight", ...pause(300), undo },
      { name: "hotel", ...pause(300), undo },
      {
        name: "pay",
        task: "orrery.fail",
        input: { message: `card ${n} is declined`, retryable: false },
        noUndo: true,
      },
    ],
  }),
  // Three steps at once, and one that waits for all of them.
  () => ({
    name: "report",
    steps: [
      { name: "sales", ...pause(900), noUndo: true },
      { name: "stock", ...pause(1_200), noUndo: true },
      { name: "returns", ...pause(600), noUndo: true },
      { name: "print", ...pause(300), after: ["sales", "stock", "returns"], noUndo: true },
    ],
  }),
];

/** The nth mission of the demo: three in a row are one that succeeds, one that is undone and a parallel one. */
export function demoMission(n: number): DemoMission {
  const kind = KINDS[n % KINDS.length];
  return { name: "order", steps: [], ...kind?.(n), labels: { run: "demo" }, input: { number: n } };
}

/** How many missions it takes until every kind was there. */
export const MISSION_KINDS = KINDS.length;
