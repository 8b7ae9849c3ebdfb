import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  PauseQueueRequestSchema,
  type Queue,
  QueueSchema,
  QueuesService,
  ResumeQueueRequestSchema,
  type UpdateQueueRequest,
  UpdateQueueRequestSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { keyedRequest } from "@orrery/mesh/idempotency/keys";
import { type Call, callerOf, type Route, serve } from "@orrery/mesh/transport/route";
import type { changeQueue, readQueue } from "../../application/manage-queues.ts";
import type { QueueChange, QueueView } from "../../application/ports.ts";
import { msOf } from "./job-wire.ts";

/** The use cases that QueuesService renders. */
interface QueuesUse {
  readonly list: (project: string) => Promise<readonly QueueView[]>;
  readonly read: ReturnType<typeof readQueue>;
  readonly change: ReturnType<typeof changeQueue>;
}

/** QueuesService, a line for each RPC. */
export function queuesRoute(use: QueuesUse): Route {
  const change = async <D extends DescMessage>(
    asked: { rpc: string; schema: D; request: MessageShape<D> & { idempotencyKey?: string | undefined } },
    wanted: { name: string; change: QueueChange },
    call: Call,
  ) => {
    const { project } = callerOf(call);
    const keyed = keyedRequest(asked.rpc, asked.schema, asked.request, project);
    const answer = await use.change({ ...wanted, keyed }, project);
    if ("queue" in answer) return { queue: queueToWire(answer.queue), replayed: false };
    return { queue: fromBinary(QueueSchema, answer.replay), replayed: true };
  };
  return serve(QueuesService, {
    listQueues: async (_request, call) => ({
      queues: (await use.list(callerOf(call).project)).map(queueToWire),
    }),
    getQueue: async ({ queue }, call) => ({
      queue: queueToWire(await use.read(callerOf(call).project, queue)),
    }),
    updateQueue: (request, call) =>
      change(
        { rpc: "UpdateQueue", schema: UpdateQueueRequestSchema, request },
        { name: request.queue?.name ?? "", change: changeOf(request) },
        call,
      ),
    pauseQueue: (request, call) =>
      change(
        { rpc: "PauseQueue", schema: PauseQueueRequestSchema, request },
        { name: request.queue, change: { paused: true } },
        call,
      ),
    resumeQueue: (request, call) =>
      change(
        { rpc: "ResumeQueue", schema: ResumeQueueRequestSchema, request },
        { name: request.queue, change: { paused: false } },
        call,
      ),
  });
}

function queueToWire(view: QueueView): Queue {
  const { concurrency, concurrencyPerKey, rateLimit, ratePeriodMs } = view.limits;
  return create(QueueSchema, {
    name: view.name,
    paused: view.paused,
    depth: { ...view.depth },
    oldestWaitSeconds: view.oldestWaitSeconds,
    concurrency,
    concurrencyPerKey,
    ...(rateLimit === 0 ? {} : { rate: { limit: rateLimit, period: durationFromMs(ratePeriodMs) } }),
  });
}

/** A queue as it is stored beside its idempotency key. */
export const queueToBytes = (view: QueueView): Uint8Array => toBinary(QueueSchema, queueToWire(view));

const DEFAULT_PERIOD_MS = 1_000;
const SETTABLE = ["concurrency", "concurrency_per_key", "rate", "rate.limit", "rate.period"] as const;
type Settable = (typeof SETTABLE)[number];

/** What to set: what the mask names, or without one what the body holds (AIP-134). */
function changeOf({ queue, updateMask }: UpdateQueueRequest): QueueChange {
  if (queue === undefined) return {};
  const named =
    updateMask === undefined || updateMask.paths.length === 0 ? undefined : pathsOf(updateMask.paths);
  const sets = (field: Settable, held: boolean): boolean => (named === undefined ? held : named.has(field));
  const { limit = 0, period } = queue.rate ?? {};
  const periodMs = period === undefined ? DEFAULT_PERIOD_MS : msOf(period);
  const whole = sets("rate", queue.rate !== undefined);
  return {
    ...(sets("concurrency", queue.concurrency !== 0) ? { concurrency: queue.concurrency } : {}),
    ...(sets("concurrency_per_key", queue.concurrencyPerKey !== 0)
      ? { concurrencyPerKey: queue.concurrencyPerKey }
      : {}),
    ...(whole || sets("rate.limit", false) ? { rateLimit: limit } : {}),
    ...(whole || sets("rate.period", false) ? { ratePeriodMs: periodMs } : {}),
  };
}

/** @throws Fault `INVALID_REQUEST` for a path that cannot be set */
function pathsOf(paths: readonly string[]): ReadonlySet<Settable> {
  const fields = paths.flatMap((path) => (path === "*" ? SETTABLE : [path]));
  const wrong = fields.find((field) => !SETTABLE.includes(field as Settable));
  if (wrong === undefined) return new Set(fields as Settable[]);
  const written = wrong.split(".").map(protoCamelCase).join(".");
  const description = `may name concurrency, concurrencyPerKey and rate, and not ${written}`;
  throw new Fault("INVALID_REQUEST", {
    detail: `updateMask ${description}`,
    fieldViolations: [{ field: "updateMask", description }],
  });
}
