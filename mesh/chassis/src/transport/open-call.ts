import type { DescMethod } from "@bufbuild/protobuf";
import type { Fault } from "../fault/fault.ts";
import type { Clock } from "../time/clock.ts";
import type { Call, OnBehalf } from "./call.ts";

interface CallFacts {
  readonly method: DescMethod;
  readonly caller: string;
  readonly onBehalf: OnBehalf | undefined;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly deadlineMs: number | undefined;
  readonly clock: Clock;
  header(name: string): string | undefined;
  sendMetadata(): void;
}

/**
 * A call while it is served. The abort signal is made when somebody asks for it: most unary handlers never
 * do, and one for each call is a measurable part of a small call's cost.
 */
export class OpenCall implements Call {
  readonly method: DescMethod;
  readonly caller: string;
  readonly onBehalf: OnBehalf | undefined;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly deadlineMs: number | undefined;
  readonly header: (name: string) => string | undefined;
  readonly #facts: CallFacts;
  #controller: AbortController | undefined;
  #ended: Fault | undefined;
  #accepted = false;
  #limit: NodeJS.Timeout | undefined;
  /** What the pipeline does when the call ends from outside. */
  onEnd: ((why: Fault) => void) | undefined;

  constructor(facts: CallFacts) {
    this.#facts = facts;
    this.method = facts.method;
    this.caller = facts.caller;
    this.onBehalf = facts.onBehalf;
    this.correlationId = facts.correlationId;
    this.traceparent = facts.traceparent;
    this.deadlineMs = facts.deadlineMs;
    this.header = facts.header;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended !== undefined && !this.#controller.signal.aborted) this.#controller.abort(this.#ended);
    return this.#controller.signal;
  }

  /** Why the call was ended from outside; undefined while it was not. */
  get ended(): Fault | undefined {
    return this.#ended;
  }

  remainingMs(capMs: number): number {
    if (this.deadlineMs === undefined) return capMs;
    return Math.max(0, Math.min(capMs, this.deadlineMs - this.#facts.clock.monotonicMs()));
  }

  accept(): void {
    if (this.#accepted || this.#ended !== undefined) return;
    this.#accepted = true;
    this.#facts.sendMetadata();
  }

  /** Ends the call from outside after so many milliseconds, unless it is closed before. */
  endAfter(ms: number, why: () => Fault): void {
    this.#limit = setTimeout(() => this.end(why()), ms);
  }

  /** Lets go of the timer: the call has been answered. */
  close(): void {
    clearTimeout(this.#limit);
  }

  /** Ends the call from outside: the caller went away, the deadline passed, or the server stops. Once. */
  end(why: Fault): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#controller?.abort(why);
    this.onEnd?.(why);
  }
}
