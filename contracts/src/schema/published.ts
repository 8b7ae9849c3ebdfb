/** One schema that is published by itself. */
export interface Published {
  /** Its name, also of its file. */
  readonly name: string;
  /** The message or enum that it is made from. */
  readonly type: string;
  /** SemVer: major for a breaking change, minor for an addition, patch for words. `make test` tells which. */
  readonly version: string;
}

/** The canonical nouns, published for everyone. Events say their versions in their protos. */
export const PUBLISHED: readonly Published[] = [
  { name: "job", type: "orrery.jobs.v1.Job", version: "1.0.0" },
  { name: "job-attempt", type: "orrery.jobs.v1.JobAttempt", version: "1.0.0" },
  { name: "job-status", type: "orrery.jobs.v1.Job.Status", version: "1.0.0" },
  { name: "mission", type: "orrery.orchestrator.v1.Mission", version: "1.0.0" },
  { name: "alert", type: "orrery.alerts.v1.Alert", version: "1.0.0" },
  { name: "problem", type: "orrery.options.v1.Problem", version: "1.1.0" },
  { name: "event-envelope", type: "orrery.events.v1.EventEnvelope", version: "1.0.0" },
];

/** Under what schemas are named. A name, not a place: nothing is fetched from there. */
export const NAMESPACE = "https://contracts.orrery.example/schemas";

/** The table above, for messages that point at it. */
export const PUBLISHED_FILE = "contracts/src/schema/published.ts";
