import type { Pool } from "@orrery/mesh/postgres/pool";
import type { Alerts, HeldAlerts } from "../../application/ports.ts";
import type { Transition } from "../../domain/alert.ts";
import type { Severity } from "../../domain/alert-state.ts";
import type { Known, Notice } from "../../domain/notice-decisions.ts";
import { type AlertRow, alertFrom, columnsOf } from "./alert-row.ts";
import {
  COUNT_ACTIVE,
  FORGET_OLD,
  INSERT_ALERTS,
  KNOWN_STARTS,
  LOCK_HEARING,
  LOCK_MUTE_ENDED,
  LOCK_ONE,
  LOCK_OPEN,
  LOCK_OPEN_EXCEPT,
  RECORD_ACT,
  UPDATE_ALERTS,
} from "./alert-statements.ts";

interface StartRow {
  readonly fingerprint: string | null;
  readonly start_time: number | null;
  readonly now_ms: number;
}

type HeldRow = AlertRow & { readonly now_ms: number };

/** Alerts in PostgreSQL. */
export function createAlertStore(pool: Pool): Alerts {
  return {
    lockKnown: async (tx, notices) => {
      await tx.query(LOCK_HEARING, []);
      const fingerprints = notices.map(({ fingerprint }) => fingerprint);
      const open = await tx.query<AlertRow>(LOCK_OPEN, [[...new Set(fingerprints)]]);
      const starts = await tx.query<StartRow>(KNOWN_STARTS, [fingerprints, notices.map(startOf)]);
      return { known: knownFrom(open, starts), nowMs: starts[0]?.now_ms ?? 0 };
    },
    lock: async (tx, id) => heldFrom(await tx.query<HeldRow>(LOCK_ONE, [id])),
    lockMuteEnded: async (tx, limit) => heldFrom(await tx.query<HeldRow>(LOCK_MUTE_ENDED, [limit])),
    lockOpenExcept: async (tx, fingerprints, olderThanMs) =>
      heldFrom(await tx.query<HeldRow>(LOCK_OPEN_EXCEPT, [fingerprints, olderThanMs])),
    saveAll: async (tx, steps) => {
      const columns = [...Map.groupBy(steps, ({ alert }) => alert.id).values()]
        .map(atLeastOne)
        .map(columnsOf);
      const added = columns.filter(({ version_before }) => version_before === 0);
      const changed = columns.filter(({ version_before }) => version_before > 0);
      // Changes first: an open alert makes room for the next of its fingerprint (A4).
      if (changed.length > 0) {
        const rows = await tx.query(UPDATE_ALERTS, [JSON.stringify(changed)]);
        if (rows.length !== changed.length)
          throw new Error("an alert was not at the version that was locked");
      }
      if (added.length > 0) await tx.query(INSERT_ALERTS, [JSON.stringify(added)]);
    },
    recordAct: async (tx, { alert, command, caller, atMs }) => {
      const { kind, principal, note } = command;
      const values = [
        alert.id,
        alert.version,
        kind,
        principal,
        caller.project,
        note,
        caller.correlationId,
        atMs,
      ];
      await tx.query(RECORD_ACT, values);
    },
    countActive: async () => {
      const rows = await pool.query<{ severity: Severity; alerts: number }>(COUNT_ACTIVE, []);
      return new Map(rows.map(({ severity, alerts }) => [severity, alerts]));
    },
    forgetOld: async () => (await pool.query(FORGET_OLD, [])).length,
  };
}

const startOf = ({ startMs }: Notice): number => startMs;

function knownFrom(open: readonly AlertRow[], starts: readonly StartRow[]): ReadonlyMap<string, Known> {
  const known = new Map<string, { open: Known["open"]; starts: Set<number> }>();
  const of = (fingerprint: string) => {
    const entry = known.get(fingerprint) ?? { open: undefined, starts: new Set<number>() };
    known.set(fingerprint, entry);
    return entry;
  };
  for (const row of open) {
    const alert = alertFrom(row);
    of(alert.fingerprint).open = alert;
    of(alert.fingerprint).starts.add(alert.startMs);
  }
  for (const { fingerprint, start_time } of starts) {
    if (fingerprint !== null && start_time !== null) of(fingerprint).starts.add(start_time);
  }
  return known;
}

const heldFrom = (rows: readonly HeldRow[]): HeldAlerts => ({
  alerts: rows.map(alertFrom),
  nowMs: rows[0]?.now_ms ?? 0,
});

function atLeastOne(steps: readonly Transition[]): readonly [Transition, ...Transition[]] {
  const [first, ...rest] = steps;
  if (first === undefined) throw new Error("no steps");
  return [first, ...rest];
}
