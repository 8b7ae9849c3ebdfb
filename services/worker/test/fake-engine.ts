import { fromJson, type JsonValue, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type {
  LeaseSchema,
  WorkRequest,
  WorkResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { MessageQueue } from "../src/adapters/rpc/message-queue.ts";

type ResponseInit = MessageInitShape<typeof WorkResponseSchema>;
/** A lease as a test writes it. */
export type LeaseInit = Exclude<MessageInitShape<typeof LeaseSchema>, { $typeName: string }>;

/** What the engine knows of one job that it was given to lease. */
export interface FakeJob {
  readonly lease: LeaseInit;
  /** How it ended; undefined while it has not. */
  end?: {
    readonly status: "SUCCEEDED" | "FAILED" | "CANCELLED";
    readonly output?: JsonValue;
    readonly error?: string;
  };
  released?: boolean;
  /** No worker holds it any more: heartbeats and results are refused. */
  lost?: boolean;
  cancelRequested?: boolean;
  /** How many results came for it. */
  results: number;
  heartbeats: number;
}

/**
 * A job engine with no database: it speaks the whole protocol of the `Work` stream, grants what it is given
 * in order, never more than the credit, and remembers everything that was said to it.
 */
export class FakeEngine {
  readonly jobs: Map<string, FakeJob>;
  readonly #waiting: FakeJob[];
  readonly streams = new Set<FakeStream>();
  readonly drained: string[] = [];
  /** How many streams were opened in all. */
  opened = 0;
  /** Says nothing more, as a process that was stopped. */
  silent = false;
  /** Breaks each stream instead of answering its next result. */
  breakOnResult = 0;

  /**
   * @param of - the engine that this one is a replica of: they share their jobs, as two processes share a
   * database
   */
  constructor(of?: FakeEngine) {
    this.jobs = of?.jobs ?? new Map();
    this.#waiting = of === undefined ? [] : of.#waiting;
  }

  /** Gives the engine jobs to lease. */
  add(...leases: readonly LeaseInit[]): readonly FakeJob[] {
    const jobs = leases.map((lease) => ({
      lease: { leaseEpoch: 1, attempt: 1, ...lease },
      results: 0,
      heartbeats: 0,
    }));
    for (const job of jobs) this.jobs.set(job.lease.jobId ?? "", job);
    this.#waiting.push(...jobs);
    this.#grant();
    return jobs;
  }

  cancel(jobId: string): void {
    const job = this.jobs.get(jobId);
    if (job === undefined) return;
    job.cancelRequested = true;
    for (const stream of this.streams)
      stream.say({ message: { case: "cancel", value: { leases: [refOf(job)] } } });
  }

  /** The handler of `WorkService.Work`. */
  async *work(requests: AsyncIterable<WorkRequest>): AsyncGenerator<ResponseInit> {
    const stream = new FakeStream();
    this.opened += 1;
    this.streams.add(stream);
    void this.#listen(stream, requests);
    try {
      for await (const response of stream.responses) {
        if (response === "break") throw new Error("the stream breaks");
        yield response;
      }
    } finally {
      this.streams.delete(stream);
    }
  }

  async #listen(stream: FakeStream, requests: AsyncIterable<WorkRequest>): Promise<void> {
    try {
      for await (const request of requests) this.#heard(stream, request);
    } catch {
      // the worker broke the stream off
    }
    stream.responses.close();
  }

  #heard(stream: FakeStream, { sequence, message }: WorkRequest): void {
    if (this.silent) return;
    switch (message.case) {
      case "register":
        stream.worker = message.value.worker;
        stream.say({ sequence, message: { case: "registered", value: { heartbeatSeconds: 5 } } });
        break;
      case "credit":
        stream.credit += message.value.jobs;
        stream.creditInAll += message.value.jobs;
        this.#grant();
        break;
      case "complete":
      case "fail":
        this.#results(stream, sequence, message.value.results);
        break;
      case "release":
        this.#answer(stream, sequence, message.value.leases, (job) => {
          job.released = true;
        });
        break;
      case "heartbeat":
        if (message.value.draining) {
          stream.credit = 0;
          this.drained.push(message.value.worker);
        }
        this.#answer(stream, sequence, message.value.leases, (job) => {
          job.heartbeats += 1;
        });
        break;
      case undefined:
        break;
    }
  }

  #results(stream: FakeStream, sequence: number, results: readonly SentResult[]): void {
    for (const result of results) {
      const job = this.jobs.get(result.jobId);
      if (job !== undefined) job.results += 1;
    }
    if (this.breakOnResult > 0) {
      this.breakOnResult -= 1;
      stream.responses.push("break");
      return;
    }
    this.#answer(stream, sequence, results, (job, index) => {
      const result = results[index];
      if (result !== undefined) job.end = endOf(result);
    });
  }

  #answer(
    stream: FakeStream,
    sequence: number,
    refs: readonly { jobId: string; leaseEpoch: number }[],
    accept: (job: FakeJob, index: number) => void,
  ): void {
    const outcomes = refs.map(({ jobId, leaseEpoch }, index) => {
      const job = this.jobs.get(jobId);
      if (job === undefined || job.lost || job.lease.leaseEpoch !== leaseEpoch) {
        return { jobId, leaseEpoch, ok: false, reason: Problem_Reason.LEASE_LOST };
      }
      accept(job, index);
      return { jobId, leaseEpoch, ok: true, cancelRequested: job.cancelRequested ?? false };
    });
    stream.say({ sequence, message: { case: "outcomes", value: { outcomes } } });
  }

  #grant(): void {
    for (const stream of this.streams) {
      const granted = this.#waiting.splice(0, stream.credit);
      if (granted.length === 0) continue;
      stream.credit -= granted.length;
      stream.granted += granted.length;
      stream.say({ message: { case: "leases", value: { leases: granted.map(({ lease }) => lease) } } });
    }
  }
}

/** One stream, as the engine sees it. */
export class FakeStream {
  readonly responses = new MessageQueue<ResponseInit | "break">();
  worker = "";
  credit = 0;
  creditInAll = 0;
  granted = 0;

  say(response: ResponseInit): void {
    this.responses.push(response);
  }

  /** Ends with an error, as a connection that breaks. */
  breakOff(): void {
    this.responses.push("break");
  }
}

interface SentResult {
  readonly jobId: string;
  readonly leaseEpoch: number;
  readonly output?: Value | undefined;
  readonly error?: { readonly type: string; readonly message: string } | undefined;
  readonly cancelled?: boolean;
}

function endOf({ output, error, cancelled = false }: SentResult): NonNullable<FakeJob["end"]> {
  if (error !== undefined) {
    return { status: cancelled ? "CANCELLED" : "FAILED", error: `${error.type}: ${error.message}` };
  }
  return output === undefined
    ? { status: "SUCCEEDED" }
    : { status: "SUCCEEDED", output: toJson(ValueSchema, output) };
}

const refOf = ({ lease }: FakeJob) => ({ jobId: lease.jobId ?? "", leaseEpoch: lease.leaseEpoch ?? 0 });

/** An input on the wire. */
export const value = (json: JsonValue): Value => fromJson(ValueSchema, json);
