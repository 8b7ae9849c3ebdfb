import type { Envelope, Job, Mission } from "../api/contract.ts";

/** What a batch of events says about jobs and missions: the newest version of each. */
export interface News {
  readonly jobs: ReadonlyMap<string, Job>;
  readonly missions: ReadonlyMap<string, Mission>;
}

/** Reads the aggregates out of the events; each event carries its own after the transition. */
export function newsOf(events: readonly Envelope[]): News {
  const jobs = new Map<string, Job>();
  const missions = new Map<string, Mission>();
  for (const { payload } of events) {
    keepNewest(jobs, payload?.job as Job | undefined);
    keepNewest(missions, payload?.mission as Mission | undefined);
  }
  return { jobs, missions };
}

function keepNewest<T extends { id: string; version: number }>(
  known: Map<string, T>,
  one: T | undefined,
): void {
  if (one === undefined) return;
  const before = known.get(one.id);
  if (before === undefined || before.version < one.version) known.set(one.id, one);
}
