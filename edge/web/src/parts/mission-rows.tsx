import { Link } from "@tanstack/react-router";
import type { Mission } from "../api/contract.ts";
import { lookOf } from "../domain/status-look.ts";
import { countOf } from "../words/count-text.ts";
import { Mark, Status } from "./status.tsx";
import { Took, When } from "./time.tsx";

/** More steps than this are counted, not drawn. */
const DOTS = 12;

export const MISSION_COLUMNS = ["Status", "Mission", "Steps", "Why", "Took", "Launched"] as const;

/** The cells of one mission. */
export function MissionCells({ mission }: { mission: Mission }) {
  const { error } = mission;
  const reason =
    error === undefined ? "" : `${error.step ? `${error.step}: ` : ""}${error.message || error.type}`;
  return (
    <>
      <span role="cell" className="cell-status">
        <Status of={mission.status} plain />
      </span>
      <span role="cell" className="cell-name">
        <Link to="/missions/$id" params={{ id: mission.id }} data-row-link>
          {mission.name}
        </Link>
      </span>
      <span role="cell" className="cell-steps">
        <StepDots mission={mission} />
      </span>
      <span role="cell" className="cell-why" title={reason}>
        {reason}
      </span>
      <span role="cell" className="cell-ran number">
        <Took from={mission.startTime} to={mission.endTime} />
      </span>
      <span role="cell" className="cell-when number">
        <When at={mission.createTime} />
      </span>
    </>
  );
}

/** The head of a list of missions. */
export const MissionHead = () => (
  <div role="row" className="row-head mission-row">
    {MISSION_COLUMNS.map((name) => (
      <span key={name} role="columnheader" data-column={name}>
        {name}
      </span>
    ))}
  </div>
);

/** A mark for each step; the words are for those who do not see them. */
function StepDots({ mission: { steps } }: { mission: Mission }) {
  const counts = Map.groupBy(steps, ({ status }) => lookOf(status).word);
  const words = [...counts].map(([word, some]) => `${some.length} ${word}`).join(", ");
  const done = steps.filter(({ status }) => status === "SUCCEEDED").length;
  return (
    <>
      <span className="unseen">
        {countOf(steps.length, "step")}: {words}
      </span>
      <span className="dots" aria-hidden="true" title={words}>
        {steps.length > DOTS
          ? `${done} of ${steps.length}`
          : steps.map(({ name, status }) => (
              <span
                key={name}
                className="step-dot"
                data-tone={lookOf(status).tone}
                title={`${name}: ${lookOf(status).word}`}
              >
                <Mark shape={lookOf(status).shape} />
              </span>
            ))}
      </span>
    </>
  );
}
