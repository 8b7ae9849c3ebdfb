import type { Platform } from "../../dev/testing/platform.ts";

/** What the steps of the gate work on. */
export interface World {
  readonly platform: Platform;
  /** Where Prometheus answers. */
  readonly prometheusUrl: string;
  /** Milliseconds that a step may wait for what it looks for. */
  readonly patienceMs: number;
  /** The job that the first step submitted. */
  jobId: string;
  /** How many jobs had succeeded before it, by Prometheus. */
  succeededBefore: number;
}

/** One step of the gate. */
export interface Step {
  readonly name: string;
  /** The process without which the step has to fail. */
  readonly restsOn: string;
  /** @returns what was seen, in a few words. @throws where it was not seen in time */
  run(world: World): Promise<string>;
}

/** The alert that the injected failure has to fire: mesh/observability/rules/alerts.yaml. */
export const FAILURE_ALERT = "JobFailureRateHigh";
