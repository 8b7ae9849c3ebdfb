import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Answer } from "../api/contract.ts";
import { countText, percentText } from "../words/count-text.ts";
import { durationText } from "../words/duration-text.ts";

/** The four numbers that say whether work flows: how much, how well, how soon, how fresh. */
export function FigureTiles({
  figures,
  queues,
}: {
  figures: Answer<"getMetrics">["figures"];
  queues: Answer<"getOverview">["queues"];
}) {
  const value = (name: string) => figures.find((figure) => figure.name === name)?.value ?? 0;
  const longest = queues[0];
  return (
    <ul className="tiles">
      <Tile
        name="Throughput"
        value={`${countText(value("jobs_finished_last_minute"))}/min`}
        foot={
          <Link to="/jobs" search={{ q: "created:>-1m" }}>
            {countText(value("jobs_submitted_last_minute"))} submitted
          </Link>
        }
      />
      <Tile
        name="Failing, last hour"
        value={percentText(value("failing_ratio_last_hour"))}
        foot={
          <Link to="/jobs" search={{ q: "status:failed finished:>-1h" }}>
            {countText(value("jobs_failed_last_minute"))} in the last minute
          </Link>
        }
      />
      <Tile
        name="Longest wait"
        value={longest === undefined ? "–" : durationText(longest.oldestWaitSeconds * 1_000)}
        foot={
          longest === undefined ? (
            "nothing waits"
          ) : (
            <Link to="/jobs" search={{ q: `status:queued queue:${longest.name}` }}>
              in queue {longest.name}
            </Link>
          )
        }
      />
      <Tile
        name="Read model"
        value={durationText(value("projection_lag"))}
        foot="behind the jobs themselves"
      />
    </ul>
  );
}

function Tile({ name, value, foot }: { name: string; value: string; foot: ReactNode }) {
  return (
    <li className="tile">
      <span className="tile-name">{name}</span>
      <span className="tile-value">{value}</span>
      <span className="tile-foot">{foot}</span>
    </li>
  );
}
