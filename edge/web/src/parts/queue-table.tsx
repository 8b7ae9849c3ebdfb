import { Link } from "@tanstack/react-router";
import type { Queue } from "../api/contract.ts";
import { quoted } from "../domain/query-terms.ts";
import { lookOf } from "../domain/status-look.ts";
import { countText } from "../words/count-text.ts";
import { durationText } from "../words/duration-text.ts";
import { Mark } from "./status.tsx";

type QueueRow = Pick<Queue, "name" | "paused" | "depth" | "oldestWaitSeconds"> & Partial<Queue>;

const WAITING = ["QUEUED", "RETRYING", "SCHEDULED"] as const;

/** Queues with what waits in them; each number leads to exactly those jobs. */
export function QueueTable({
  queues,
  label,
  limits = false,
}: {
  queues: readonly QueueRow[];
  label: string;
  limits?: boolean;
}) {
  return (
    <table className="plain-table stacks">
      <caption className="unseen">{label}</caption>
      <thead>
        <tr>
          <th scope="col">Queue</th>
          <th scope="col" className="number">
            Running
          </th>
          <th scope="col" className="number">
            Queued
          </th>
          <th scope="col" className="number">
            Retrying
          </th>
          <th scope="col" className="number">
            Scheduled
          </th>
          <th scope="col" className="number">
            Longest wait
          </th>
          {limits && <th scope="col">Limits</th>}
        </tr>
      </thead>
      <tbody>
        {queues.map((queue) => (
          <tr key={queue.name}>
            <th scope="row">
              <span className="with-status">
                <Link to="/jobs" search={{ q: `queue:${quoted(queue.name)}` }}>
                  {queue.name}
                </Link>
                {queue.paused && (
                  <span className="status" data-tone="warn">
                    <Mark shape="dash" /> paused
                  </span>
                )}
              </span>
            </th>
            {(["RUNNING", ...WAITING] as const).map((status) => (
              <td key={status} className="number" data-name={lookOf(status).word}>
                <Depth queue={queue.name} status={status} count={queue.depth[status] ?? 0} />
              </td>
            ))}
            <td className="number" data-name="longest wait">
              {queue.oldestWaitSeconds === 0 ? (
                <span className="dim">–</span>
              ) : (
                durationText(queue.oldestWaitSeconds * 1_000)
              )}
            </td>
            {limits && <td data-name="limits">{limitsOf(queue)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Depth({ queue, status, count }: { queue: string; status: string; count: number }) {
  if (count === 0) return <span className="dim">0</span>;
  return (
    <Link to="/jobs" search={{ q: `queue:${quoted(queue)} status:${status.toLowerCase()}` }}>
      {countText(count)}
    </Link>
  );
}

function limitsOf({ concurrency = 0, concurrencyPerKey = 0, rate }: QueueRow): string {
  const limits = [
    concurrency > 0 && `${countText(concurrency)} at once`,
    concurrencyPerKey > 0 && `${countText(concurrencyPerKey)} per key`,
    rate && `${countText(rate.limit)} in ${rate.period ?? "1s"}`,
  ].filter((limit) => typeof limit === "string");
  return limits.length === 0 ? "none" : limits.join(", ");
}
