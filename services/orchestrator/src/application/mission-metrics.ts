import type { Listener } from "@orrery/mesh/outbox/announcements";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Transition } from "../domain/mission.ts";
import { ENDS, hasEnded, OPEN } from "../domain/mission-state.ts";
import type { Missions } from "./ports.ts";

/** Seconds, from ten milliseconds to a week. */
const LONG_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600, 86_400, 604_800];

/** Counts what committed transitions tell. */
export function createMissionMetrics(metrics: Metrics): Listener<Transition> {
  const started = metrics.counter("orrery_missions_started_total", "Missions that began.");
  const finished = metrics.counter(
    "orrery_missions_finished_total",
    "Missions that reached an end, by the end.",
    ["status"],
  );
  const duration = metrics.histogram(
    "orrery_mission_duration_seconds",
    "From a mission's launch to its end.",
    [],
    LONG_BUCKETS,
  );
  // From the first scrape on, so that a rate sees the first of each as well.
  for (const status of ENDS) finished.inc({ status }, 0);
  return (transitions) => {
    for (const { mission, fact, occurredMs } of transitions) {
      if (fact === "MissionStarted") started.inc();
      if (!hasEnded(mission.status)) continue;
      finished.inc({ status: mission.status });
      duration.observe(Math.max(0, occurredMs - mission.createMs) / 1_000);
    }
  };
}

/** Counts open missions in the database, so that every replica shows the same. @returns one reading */
export function createMissionGauges(metrics: Metrics, missions: Missions): () => Promise<void> {
  const open = metrics.gauge("orrery_missions_open", "Missions that have not ended, by status.", ["status"]);
  const attention = metrics.gauge("orrery_missions_needing_attention", "Missions that wait for a person.");
  return async () => {
    const counts = await missions.countOpen();
    for (const status of OPEN) open.set({ status }, counts.get(status) ?? 0);
    attention.set(counts.get("NEEDS_ATTENTION") ?? 0);
  };
}
