import { createKeyStore, keepKeyPartitions } from "@orrery/mesh/idempotency/key-store";
import { createAnnouncements } from "@orrery/mesh/outbox/announcements";
import { eventsAfter } from "@orrery/mesh/outbox/stored-events";
import { createWatches } from "@orrery/mesh/outbox/watch";
import type { Pool } from "@orrery/mesh/postgres/pool";
import { createItemBudget } from "@orrery/mesh/telemetry/item-budget";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Clock } from "@orrery/mesh/time/clock";
import { every } from "@orrery/mesh/time/every";
import type { Route } from "@orrery/mesh/transport/route";
import { createMissionFacts } from "./adapters/events/mission-facts.ts";
import { createErrandStore } from "./adapters/postgres/errand-store.ts";
import { createAudit, createMissionStore, databaseNow } from "./adapters/postgres/mission-store.ts";
import { missionToBytes, missionToJson } from "./adapters/rpc/mission-wire.ts";
import { missionsRoute } from "./adapters/rpc/missions-handler.ts";
import { beginMissions } from "./application/begin-missions.ts";
import { commandMission } from "./application/command-mission.ts";
import { launchMission } from "./application/launch-mission.ts";
import { createMissionGauges, createMissionMetrics } from "./application/mission-metrics.ts";
import type { JobsPeer } from "./application/ports.ts";
import { listMissions, readMission } from "./application/read-missions.ts";
import { startErrands } from "./application/run-errands.ts";
import { type KnownEnd, takeInEnds } from "./application/take-in-ends.ts";
import type { Transition } from "./domain/mission.ts";
import { hasEnded } from "./domain/mission-state.ts";

/** What the engine stands on. */
export interface EngineDeps {
  readonly pool: Pool;
  readonly peer: JobsPeer;
  readonly instance: string;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
  /** Called after each commit that wrote events. */
  readonly onCommit: () => void;
}

/** The orchestrator's engine, whole: what serves its RPCs, and what it does by itself. */
export interface Engine {
  readonly routes: readonly Route[];
  /** Takes in how jobs ended. */
  readonly takeIn: (ends: readonly KnownEnd[]) => Promise<void>;
  /** Has jobs asked about. */
  readonly ask: (jobIds: readonly string[]) => Promise<void>;
  /** Resolves when nothing is under way any more; begins with the signal. */
  readonly ended: Promise<unknown>;
}

const GAUGES_MS = 2_000;
const PARTITIONS_MS = 60_000;
/** So many missions in a second are in their request's trace, if that is kept: each makes a hundred spans. */
const TRACED_PER_SECOND = 10;

/** Puts the engine together and sets it going. */
export function createEngine(deps: EngineDeps): Engine {
  const { pool, peer, clock, logger, metrics, signal } = deps;
  const missions = createMissionStore(pool);
  const errands = createErrandStore(pool);
  const announcements = createAnnouncements<Transition>();
  const frame = { instance: deps.instance, serviceVersion: deps.version, missionJson: missionToJson };
  const inTransaction = <T>(...args: Parameters<typeof pool.transaction<T>>): Promise<T> =>
    pool.transaction(...args);
  const decisions = {
    missions,
    facts: createMissionFacts(frame, clock),
    inTransaction,
    announcements,
    clock,
  };
  const answers = { ...decisions, keys: createKeyStore(), encode: missionToBytes, databaseNow };

  const read = readMission(missions);
  const watches = createWatches({
    after: (positions, limit) => eventsAfter(pool, positions, limit),
    progress: missions.versions,
    read,
    progressOf: ({ version, status }) => ({ version, ended: hasEnded(status) }),
    logger,
    signal,
  });
  const takeIn = takeInEnds({ ...decisions, errands });
  const begin = beginMissions(decisions);
  const runner = startErrands({ errands, peer, begin, takeIn, logger, signal });

  announcements.subscribe(deps.onCommit);
  announcements.subscribe(runner.nudge);
  announcements.subscribe(createMissionMetrics(metrics));
  announcements.subscribe((transitions) => watches.nudge(transitions.map(({ mission }) => mission)));

  const upkeep = { clock, logger, signal };
  return {
    routes: [
      missionsRoute({
        launch: launchMission(answers),
        command: commandMission({ ...answers, audit: createAudit() }),
        read,
        list: listMissions(missions),
        watches,
        traces: createItemBudget({ perSecond: TRACED_PER_SECOND, clock }),
      }),
    ],
    takeIn,
    ask: async (jobIds) => {
      await errands.lookAt(jobIds);
      runner.wake();
    },
    ended: Promise.all([
      runner.ended,
      every({ name: "counting missions", ms: GAUGES_MS }, upkeep, createMissionGauges(metrics, missions)),
      every({ name: "keeping partitions", ms: PARTITIONS_MS }, upkeep, () => keepKeyPartitions(pool)),
    ]),
  };
}
