import type { Pool } from "@orrery/mesh/postgres/pool";
import type { Beat, LeaseClaim, Leases } from "../../application/ports.ts";
import { LEASE_MS } from "../../domain/lease.ts";
import { CANCEL_REQUESTED, LEASE_HOLDERS, PROLONG } from "./lease-statements.ts";

interface Prolonged {
  readonly job_id: string;
  readonly epoch: number;
  readonly principal: string;
  readonly project: string;
  readonly expire_time: number;
  readonly cancel_requested: boolean;
}

interface Holder {
  readonly id: string;
  readonly project: string;
  readonly epoch: number | null;
  readonly principal: string | null;
}

/** Leases in PostgreSQL. Give it the pool that heartbeats have to themselves. */
export function createLeaseStore(pool: Pool): Leases {
  return {
    prolong: async (claims) => {
      const inOrder = [...claims].sort((a, b) => (a.jobId < b.jobId ? -1 : 1));
      const rows = await pool.query<Prolonged>(PROLONG, [
        inOrder.map(({ jobId }) => jobId),
        inOrder.map(({ epoch }) => epoch),
        inOrder.map(({ principal }) => principal),
        inOrder.map(({ project }) => project ?? null),
        LEASE_MS,
      ]);
      const prolonged = new Map(rows.map((row) => [`${row.job_id}:${row.epoch}`, row]));
      const answers = claims.map((claim) => {
        const row = prolonged.get(`${claim.jobId}:${claim.epoch}`);
        return row !== undefined && isHolder(claim, row) ? accepted(row) : undefined;
      });
      const missed = claims.filter((_claim, index) => answers[index] === undefined);
      const holders = missed.length === 0 ? new Map<string, Holder>() : await holdersOf(pool, missed);
      return claims.map((claim, index) => answers[index] ?? refusal(claim, holders.get(claim.jobId)));
    },
    cancelRequested: async () => {
      const rows = await pool.query<Pick<Prolonged, "job_id" | "epoch">>(CANCEL_REQUESTED, []);
      return rows.map(({ job_id, epoch }) => ({ jobId: job_id, epoch }));
    },
  };
}

async function holdersOf(pool: Pool, claims: readonly LeaseClaim[]): Promise<Map<string, Holder>> {
  const ids = [...new Set(claims.map(({ jobId }) => jobId))];
  const rows = await pool.query<Holder>(LEASE_HOLDERS, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** One batch has the claims of many callers, and two may name the same lease. */
const isHolder = (claim: LeaseClaim, { principal, project }: Prolonged): boolean =>
  claim.principal === principal && (claim.project === undefined || claim.project === project);

const accepted = ({ expire_time, cancel_requested }: Prolonged): Beat => ({
  ok: true,
  leaseExpireMs: expire_time,
  cancelRequested: cancel_requested,
});

function refusal(claim: LeaseClaim, holder: Holder | undefined): Beat {
  const unknown = holder === undefined || (claim.project !== undefined && holder.project !== claim.project);
  if (unknown) return { ok: false, reason: "NOT_FOUND" };
  const foreign = holder.epoch === claim.epoch && holder.principal !== claim.principal;
  return { ok: false, reason: foreign ? "LEASE_FOREIGN" : "LEASE_LOST" };
}
