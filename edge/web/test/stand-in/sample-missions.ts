import type { Mission, MissionStep } from "../../src/api/contract.ts";
import { NOW_MS, sampleId } from "./sample-jobs.ts";

const at = (secondsAgo: number): string => new Date(NOW_MS - secondsAgo * 1_000).toISOString();

type StepStatus = MissionStep["status"];

interface Shape {
  readonly name: string;
  readonly after: readonly string[];
  readonly pivot?: boolean;
  readonly noUndo?: boolean;
}

const SHAPE: readonly Shape[] = [
  { name: "validate", after: [], noUndo: true },
  { name: "reserve", after: ["validate"] },
  { name: "charge", after: ["validate"] },
  { name: "ship", after: ["reserve", "charge"], pivot: true, noUndo: true },
  { name: "notify", after: ["ship"], noUndo: true },
];

/** One after the other, each with a way back. */
const LINE: readonly Shape[] = SHAPE.map(({ name }, index) => ({
  name,
  after: index === 0 ? [] : [SHAPE[index - 1]?.name ?? ""],
  ...(name === "notify" && { noUndo: true }),
}));

/** Each way that a mission of five steps can stand: its status and those of its steps. */
const STANDS: readonly (readonly [Mission["status"], readonly StepStatus[], string?])[] = [
  ["RUNNING", ["SUCCEEDED", "SUCCEEDED", "RUNNING", "PENDING", "PENDING"]],
  ["NEEDS_ATTENTION", ["SUCCEEDED", "UNDONE", "UNDO_FAILED", "FAILED", "SKIPPED"], "charge"],
  ["COMPENSATING", ["SUCCEEDED", "SUCCEEDED", "UNDOING", "FAILED", "SKIPPED"], "ship"],
  ["COMPENSATED", ["SUCCEEDED", "UNDONE", "UNDONE", "FAILED", "SKIPPED"], "ship"],
  ["SUCCEEDED", ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]],
  ["PENDING", ["PENDING", "PENDING", "PENDING", "PENDING", "PENDING"]],
  ["FAILED", ["FAILED", "SKIPPED", "SKIPPED", "SKIPPED", "SKIPPED"], "validate"],
  ["NEEDS_ATTENTION", ["SUCCEEDED", "SUCCEEDED", "UNKNOWN", "PENDING", "PENDING"], "charge"],
  ["CANCELLED", ["SKIPPED", "SKIPPED", "SKIPPED", "SKIPPED", "SKIPPED"]],
];

/** The nth newest mission; every status is among any nine neighbours. */
export function sampleMission(n: number): Mission {
  const [status, statuses, culprit] = STANDS[n % STANDS.length] ?? ["PENDING", []];
  const ended = ["SUCCEEDED", "COMPENSATED", "FAILED", "CANCELLED"].includes(status);
  const error = culprit && {
    type: status === "NEEDS_ATTENTION" ? "UNDO_FAILED" : "CarrierRefused",
    message:
      status === "NEEDS_ATTENTION" ? "payments answers 500: refund rejected" : "no carrier delivers to NW1",
    step: culprit,
  };
  const began = 40 + n * 31;
  return {
    id: sampleId(n, "7a00"),
    project: "demo",
    name: ["order.fulfil", "account.close", "video.publish"][n % 3] ?? "order.fulfil",
    status,
    version: 9,
    input: { order: 4711 + n, express: n % 2 === 0 },
    labels: { team: "orders", region: "eu" },
    ...(error && { error }),
    createTime: at(began),
    ...(status !== "PENDING" && { startTime: at(began - 1) }),
    ...(ended && { endTime: at(began - 14) }),
    steps: (n % 3 === 2 ? LINE : SHAPE).map((shape, index) =>
      sampleStep(shape, statuses[index] ?? "PENDING", { n, index, began, error }),
    ),
    correlationId: sampleId(n, "7c00"),
  };
}

function sampleStep(
  { name, after, pivot = false, noUndo = false }: Shape,
  status: StepStatus,
  { n, index, began, error }: { n: number; index: number; began: number; error: Mission["error"] | "" },
): MissionStep {
  const begun = status !== "PENDING" && status !== "SKIPPED";
  const undone = ["UNDOING", "UNDONE", "UNDO_FAILED"].includes(status);
  return {
    name,
    status,
    jobId: begun ? sampleId(n * 16 + index, "7b00") : "",
    undoJobId: undone ? sampleId(n * 16 + index + 8, "7b00") : "",
    ...(error && error.step === name && { error }),
    task: `orders.${name}`,
    queue: "orders",
    after,
    undoTask: noUndo ? "" : `orders.un${name}`,
    undoUnknownTask: "",
    noUndo,
    pivot,
    ...(begun && { startTime: at(began - 1 - index * 2) }),
    ...(begun && status !== "RUNNING" && status !== "UNDOING" && { endTime: at(began - 2 - index * 2.4) }),
  };
}
