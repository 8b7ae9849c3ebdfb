import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type WorkRequest,
  type WorkRequest_Register,
  WorkResponse_DrainSchema,
  type WorkResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Call } from "@orrery/mesh/transport/route";
import { type FindWorkDeps, giveBack, POLL_MS } from "../../application/find-work.ts";
import { type Demand, MAX_GRANTS } from "../../application/lease-jobs.ts";
import type { Grant, WorkCaller } from "../../application/ports.ts";
import type { Sightings } from "../../application/sightings.ts";
import type { WorkSessions } from "../../application/work-sessions.ts";
import { HEARTBEAT_SECONDS } from "../../domain/lease.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";
import { leaseToWire } from "./work-wire.ts";
import { serviceOf, type WorkerWords } from "./worker-words.ts";

type Response = MessageInitShape<typeof WorkResponseSchema>;

/**
 * Messages of a worker that are carried out, or whose answers wait to be sent, at once: it is read no faster, so that
 * one which never reads cannot fill the memory with answers.
 */
const MAX_ANSWERS = 100;
const MAX_CREDIT = 10_000;

/** What a stream is served by. */
interface StreamUse extends FindWorkDeps {
  readonly words: WorkerWords;
  readonly sessions: WorkSessions;
  readonly sightings: Sightings;
}

/**
 * A worker's stream: it registers, grants credit, and reports; the engine sends leases as long as there is
 * credit. Nothing is leased while earlier messages wait to be sent, so a worker that does not read is not
 * given more.
 */
export async function* workStream(
  use: StreamUse,
  requests: AsyncIterable<WorkRequest>,
  by: WorkCaller,
  call: Call,
): AsyncGenerator<Response, void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([call.signal, ended.signal]);
  const stream = new WorkStream(use, by, signal);
  using _open = use.sessions.open(stream);
  call.accept();
  const reading = stream.read(requests).finally(() => ended.abort());
  // A failure of the reader ends the output below; it is passed on after what was still to be sent.
  reading.catch(() => undefined);
  try {
    for await (const message of stream.outgoing.drain(signal)) {
      yield message;
      // Nobody is there any more: what waits is not handed over, and so can be given back.
      if (call.signal.aborted) break;
    }
    if (!call.signal.aborted) await reading;
  } finally {
    ended.abort();
    await stream.closed();
  }
}

class WorkStream {
  readonly outgoing = new OutgoingQueue<Response>();
  readonly #use: StreamUse;
  readonly #by: WorkCaller;
  readonly #signal: AbortSignal;
  #credit = 0;
  #wake: () => void = () => undefined;
  #draining = false;
  #granting: Promise<void> | undefined;
  #serves: Demand["service"] | undefined;

  constructor(use: StreamUse, by: WorkCaller, signal: AbortSignal) {
    this.#use = use;
    this.#by = by;
    this.#signal = signal;
  }

  cancel({ jobId, epoch }: { jobId: string; epoch: number }): void {
    this.outgoing.push({ message: { case: "cancel", value: { leases: [{ jobId, leaseEpoch: epoch }] } } });
  }

  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.outgoing.push({ message: { case: "drain", value: create(WorkResponse_DrainSchema) } });
  }

  /** Resolves when nothing more is granted, and what was granted and never handed over has gone back. */
  async closed(): Promise<void> {
    this.#wake();
    try {
      await this.#granting;
    } finally {
      await this.#giveBackUnsent();
    }
  }

  async #giveBackUnsent(): Promise<void> {
    const leases = this.outgoing
      .takeBack()
      .flatMap(({ message }) => (message?.case === "leases" ? (message.value.leases ?? []) : []));
    if (this.#serves === undefined || leases.length === 0) return;
    const grants = leases.map(({ jobId = "", leaseEpoch = 0 }) => ({
      job: { id: jobId, attempt: leaseEpoch },
    }));
    await giveBack(this.#use, { service: this.#serves, principal: this.#by.principal }, grants);
  }

  /** Takes what the worker says until it stops talking. Results are answered in any order, by sequence. */
  async read(requests: AsyncIterable<WorkRequest>): Promise<void> {
    const answers = new Set<Promise<void>>();
    for await (const request of requests) {
      // A worker that breaks the protocol ends its stream, once what waits has been sent.
      const answer = this.#take(request).catch((reason: unknown) => this.outgoing.fail(reason));
      answers.add(answer);
      void answer.then(() => answers.delete(answer));
      if (answers.size >= MAX_ANSWERS) await Promise.race(answers);
    }
    await Promise.all(answers);
    await this.outgoing.emptied(this.#signal);
  }

  async #take({ sequence, message }: WorkRequest): Promise<void> {
    const { words } = this.#use;
    if (message.case === "register") return this.#register(sequence, message.value);
    if (this.#granting === undefined) throw wrongOrder("the first message has to be register");
    switch (message.case) {
      case "credit":
        this.#credit = Math.min(MAX_CREDIT, this.#credit + message.value.jobs);
        this.#wake();
        return;
      case "complete":
        return this.#settle(sequence, message.value.results, words.complete(message.value, this.#by));
      case "fail":
        return this.#settle(sequence, message.value.results, words.fail(message.value, this.#by));
      case "release":
        return this.#settle(sequence, message.value.leases, words.release(message.value, this.#by));
      case "heartbeat": {
        if (message.value.draining) this.#draining = true;
        const outcomes = await words.heartbeat(message.value, this.#by);
        return this.outgoing.send({ sequence, message: { case: "outcomes", value: { outcomes } } });
      }
      case undefined:
        throw wrongOrder("a message says nothing that is known here");
    }
  }

  async #settle(
    sequence: number,
    refs: readonly { jobId: string }[],
    settled: ReturnType<WorkerWords["complete"]>,
  ): Promise<void> {
    const outcomes = await settled;
    for (const { jobId } of refs) this.#use.sessions.let(jobId);
    await this.outgoing.send({ sequence, message: { case: "outcomes", value: { outcomes } } });
  }

  #register(sequence: number, register: WorkRequest_Register): void {
    if (this.#granting !== undefined) throw wrongOrder("register is the first message, and only the first");
    const service = serviceOf(this.#by, register);
    this.#serves = service;
    const value = { heartbeatSeconds: HEARTBEAT_SECONDS };
    this.outgoing.push({ sequence, message: { case: "registered", value } });
    this.#granting = this.#grantAll(service, register);
    this.#granting.catch((reason: unknown) => this.outgoing.fail(reason));
  }

  /** Leases for as long as there is credit and the stream lives. */
  async #grantAll(service: Demand["service"], { worker, slots }: WorkRequest_Register): Promise<void> {
    using listener = this.#use.bell.listen(service.tasks);
    const note = (): void =>
      this.#use.sightings.note({ ...service, name: worker, slots, draining: this.#draining });
    const { principal } = this.#by;
    while (!this.#signal.aborted) {
      note();
      if (this.#draining || this.#credit === 0 || !this.outgoing.empty) {
        await this.#pause();
        continue;
      }
      // One message brings what one transaction grants; further credit is served by the next.
      const max = Math.min(this.#credit, MAX_GRANTS);
      const demand = { service, worker, principal, requestId: "", max, signal: this.#signal };
      const grants = await this.#use.leases.lease(demand);
      if (this.#signal.aborted) await giveBack(this.#use, demand, grants);
      else if (grants.length > 0) this.#send(grants);
      else await listener.next(POLL_MS, this.#signal);
    }
  }

  #send(grants: readonly Grant[]): void {
    this.#credit -= grants.length;
    for (const { job } of grants) this.#use.sessions.hold(job.id, job.attempt, this);
    this.outgoing.push({ message: { case: "leases", value: { leases: grants.map(leaseToWire) } } });
  }

  /** Until there is credit, the output has gone, or it is time to be seen again. */
  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, POLL_MS);
    this.#wake = resolve;
    using _emptied = this.outgoing.onEmpty(resolve);
    await promise;
    clearTimeout(timer);
  }
}

const wrongOrder = (detail: string): Fault => new Fault("INVALID_REQUEST", { detail });
