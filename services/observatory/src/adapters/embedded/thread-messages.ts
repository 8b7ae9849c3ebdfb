import type { EventSearch, Search } from "../../application/ports.ts";
import type { Kind } from "../../domain/projection.ts";
import type { BatchRows } from "./store-rows.ts";

export interface ThreadSettings {
  readonly folder: string;
  /** Shared with who asks: 1 while nobody waits any more for what the thread is at. */
  readonly unwanted: Int32Array;
}

/** What the service asks of a store's thread. */
export type Question =
  | { readonly ask: "check" }
  | { readonly ask: "apply"; readonly rows: BatchRows }
  | { readonly ask: "search"; readonly search: Search }
  | {
      readonly ask: "count";
      readonly search: Pick<Search, "kind" | "project" | "filter">;
      readonly atMost: number;
    }
  | { readonly ask: "find"; readonly kind: Kind; readonly project: string; readonly id: string }
  | {
      readonly ask: "countVersions";
      readonly project: string;
      readonly id: string;
      readonly version: number;
    }
  | {
      readonly ask: "history";
      readonly project: string;
      readonly id: string;
      readonly page: { readonly afterVersion: number; readonly limit: number };
    }
  | { readonly ask: "searchEvents"; readonly search: EventSearch }
  | { readonly ask: "summary"; readonly project: string }
  | { readonly ask: "size" }
  | { readonly ask: "reset" }
  | { readonly ask: "close" };

/** What it answers: one answer for each question, in their order. */
export type Answer =
  | { readonly value: unknown }
  /** `passing`: the file cannot be used right now, and the same question may be answered later. */
  | { readonly error: string; readonly passing: boolean };
