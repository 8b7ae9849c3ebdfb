import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type {
  WorkRequestSchema,
  WorkResponse,
  WorkService,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { wait } from "@orrery/mesh/time/wait";
import type { AttemptResult, EngineLink, EngineListener, LeaseOutcome } from "../../application/ports.ts";
import type { LeaseRef } from "../../domain/attempt.ts";
import { MessageQueue } from "./message-queue.ts";
import { attemptFromWire, completionsToWire, failuresToWire, outcomeFromWire } from "./work-wire.ts";

const REGISTER_MS = 5_000;
const SEQUENCE_LIMIT = 2 ** 31 - 1;

type RequestInit = MessageInitShape<typeof WorkRequestSchema>;
type Says = NonNullable<RequestInit["message"]>;

/** The part of the generated client that a stream needs. */
export type WorkClient = Pick<Client<typeof WorkService>, "work">;

/** Who the worker is, as it registers. */
export interface Registration {
  readonly worker: string;
  readonly tasks: readonly string[];
  readonly slots: number;
}

interface Asked {
  readonly resolve: (outcomes: readonly LeaseOutcome[]) => void;
  readonly reject: (cause: Error) => void;
}

/** One stream of `Work` to one replica, from its registration to its end. */
export class WorkStream implements EngineLink {
  readonly name: string;
  readonly #registration: Registration;
  readonly #listener: EngineListener;
  readonly #requests = new MessageQueue<RequestInit>();
  readonly #asked = new Map<number, Asked>();
  readonly #ended = new AbortController();
  #sequence = 0;
  #registered = false;
  #finishing = false;

  constructor(name: string, registration: Registration, listener: EngineListener) {
    this.name = name;
    this.#registration = registration;
    this.#listener = listener;
  }

  /**
   * Lives one stream: registers, and hands on what the engine says until the stream ends.
   *
   * @returns when the engine ended the stream, or `signal` did
   * @throws whatever the stream failed with, or an Error where nothing answered the registration in 5 s
   */
  async live(client: WorkClient, signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([this.#ended.signal, signal]);
    this.#say({
      case: "register",
      value: { ...this.#registration, tasks: [...this.#registration.tasks], queues: [] },
    });
    void wait(REGISTER_MS, ended).then(() => {
      if (!this.#registered) this.close("the registration was not answered in time");
    });
    try {
      for await (const response of client.work(this.#requests, { signal: ended })) this.#heard(response);
    } catch (error) {
      if (!signal.aborted) throw this.#ended.signal.aborted ? this.#ended.signal.reason : error;
    } finally {
      this.#end();
    }
  }

  grantCredit(jobs: number): void {
    this.#say({ case: "credit", value: { jobs } });
  }

  async report(results: readonly AttemptResult[]): Promise<readonly LeaseOutcome[]> {
    const succeeded = results.filter(({ end }) => end.kind === "succeeded");
    const others = results.filter(({ end }) => end.kind !== "succeeded");
    const [ofSucceeded, ofOthers] = await Promise.all([
      succeeded.length === 0 ? [] : this.#ask({ case: "complete", value: completionsToWire(succeeded) }),
      others.length === 0 ? [] : this.#ask({ case: "fail", value: failuresToWire(others) }),
    ]);
    const next = { succeeded: ofSucceeded.values(), others: ofOthers.values() };
    return results.flatMap(({ end }) => {
      const { value } = (end.kind === "succeeded" ? next.succeeded : next.others).next();
      return value === undefined ? [] : [value];
    });
  }

  release(leases: readonly LeaseRef[]): Promise<readonly LeaseOutcome[]> {
    return this.#ask({ case: "release", value: { leases: leases.map(refToWire) } });
  }

  heartbeat(leases: readonly LeaseRef[], about: { draining: boolean }): Promise<readonly LeaseOutcome[]> {
    const { worker } = this.#registration;
    return this.#ask({ case: "heartbeat", value: { worker, leases: leases.map(refToWire), ...about } });
  }

  finish(): void {
    this.#finishing = true;
    if (this.#asked.size === 0) this.#requests.close();
  }

  close(cause: string): void {
    this.#ended.abort(new Error(cause));
  }

  #say(message: Says): number {
    this.#sequence = this.#sequence >= SEQUENCE_LIMIT ? 1 : this.#sequence + 1;
    this.#requests.push({ sequence: this.#sequence, message });
    return this.#sequence;
  }

  #ask(message: Says): Promise<readonly LeaseOutcome[]> {
    if (this.#ended.signal.aborted || this.#finishing)
      return Promise.reject(new Error(`the stream to ${this.name} is closed`));
    const sequence = this.#say(message);
    return new Promise((resolve, reject) => {
      this.#asked.set(sequence, { resolve, reject });
    });
  }

  #heard({ sequence, message }: WorkResponse): void {
    switch (message.case) {
      case "registered":
        this.#registered = true;
        this.#listener.opened(this);
        break;
      case "leases":
        this.#listener.leased(this, message.value.leases.map(attemptFromWire));
        break;
      case "outcomes":
        this.#asked.get(sequence)?.resolve(message.value.outcomes.map(outcomeFromWire));
        this.#asked.delete(sequence);
        if (this.#finishing) this.finish();
        break;
      case "cancel":
        this.#listener.cancelAsked(message.value.leases);
        break;
      case "drain":
        this.#listener.draining(this);
        break;
      case undefined:
        break; // a newer engine says something that this worker does not know: it can go on without
    }
  }

  #end(): void {
    this.close("the stream has ended");
    this.#requests.close();
    if (this.#registered) this.#listener.closed(this);
    for (const { reject } of this.#asked.values()) reject(new Error(`the stream to ${this.name} has ended`));
    this.#asked.clear();
  }
}

const refToWire = ({ jobId, leaseEpoch }: LeaseRef) => ({ jobId, leaseEpoch });
