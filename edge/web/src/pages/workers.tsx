import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Worker } from "../api/contract.ts";
import { useSession } from "../app/session.tsx";
import { workers } from "../data/readings.ts";
import { quoted } from "../domain/query-terms.ts";
import { workerLook } from "../domain/worker-look.ts";
import { useNow } from "../parts/clock.ts";
import { PageHead } from "../parts/page.tsx";
import { Asked, Empty, Read } from "../parts/states.tsx";
import { Badge } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { countOf } from "../words/count-text.ts";

/** Who takes jobs, how many, and when each was last heard of. */
export function WorkersPage() {
  const { reader } = useSession();
  const reading = useQuery(workers(reader));
  return (
    <>
      <PageHead title="Workers" name="Workers">
        {reading.data && (
          <Asked readAtMs={reading.dataUpdatedAt}>
            {countOf(reading.data.workers.length, "worker")} within the last minute
          </Asked>
        )}
      </PageHead>
      <Read reading={reading}>
        {({ workers: list }) =>
          list.length === 0 ? (
            <Empty title="No worker was seen within the last minute.">
              <p>
                <code className="command">make run</code> starts one that serves the built-in tasks.
              </p>
            </Empty>
          ) : (
            <WorkerTable workers={list} />
          )
        }
      </Read>
    </>
  );
}

function WorkerTable({ workers: list }: { workers: readonly Worker[] }) {
  const nowMs = useNow();
  return (
    <div className="panel scrolls">
      <table className="plain-table stacks">
        <caption className="unseen">Workers by name</caption>
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">State</th>
            <th scope="col">Slots in use</th>
            <th scope="col">Tasks</th>
            <th scope="col">Queues</th>
            <th scope="col" className="number">
              Last heard
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((worker) => (
            <tr key={worker.worker}>
              <th scope="row">
                <Link to="/jobs" search={{ q: `worker:${quoted(worker.worker)}` }}>
                  {worker.worker}
                </Link>
              </th>
              <td data-name="state">
                <Badge look={workerLook(worker, nowMs)} plain />
              </td>
              <td data-name="slots in use">
                <Slots worker={worker} />
              </td>
              <td data-name="tasks" data-wide>
                {worker.tasks.join(", ")}
              </td>
              <td data-name="queues">
                {worker.queues.join(", ") || <span className="dim">all of them</span>}
              </td>
              <td className="number" data-name="last heard">
                <When at={worker.lastSeenTime} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Slots({ worker: { leases, slots } }: { worker: Worker }) {
  if (slots === 0) return <span className="number">{leases}</span>;
  return (
    <span className="slots">
      <span className="slots-track" aria-hidden="true">
        <span style={{ width: `${Math.min(100, (leases / slots) * 100)}%` }} />
      </span>
      <span className="number">
        {leases} of {slots}
      </span>
    </span>
  );
}
