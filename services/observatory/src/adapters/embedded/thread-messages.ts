import type { EventSearch, JobSearch } from "../../application/ports.ts";
import type { Projection } from "../../domain/projection.ts";

export interface ThreadSettings {
  readonly folder: string;
}

/** What the service asks of a store's thread. */
export type Question =
  | { readonly ask: "check" }
  | { readonly ask: "apply"; readonly batch: readonly Projection[] }
  | { readonly ask: "searchJobs"; readonly search: JobSearch }
  | {
      readonly ask: "countJobs";
      readonly search: Pick<JobSearch, "project" | "filter">;
      readonly atMost: number;
    }
  | { readonly ask: "job"; readonly project: string; readonly id: string }
  | {
      readonly ask: "history";
      readonly project: string;
      readonly id: string;
      readonly page: { readonly afterVersion: number; readonly limit: number };
    }
  | { readonly ask: "searchEvents"; readonly search: EventSearch }
  | { readonly ask: "summary"; readonly project: string }
  | { readonly ask: "reset" }
  | { readonly ask: "close" };

export type Answer =
  | { readonly number: number; readonly value: unknown }
  /** `passing`: the file cannot be used right now, and the same question may be answered later. */
  | { readonly number: number; readonly error: string; readonly passing: boolean };
