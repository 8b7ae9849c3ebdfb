import { Link } from "@tanstack/react-router";
import type { Mission, MissionStep } from "../api/contract.ts";
import { undoLook } from "../domain/mission-layout.ts";
import { Badge, Status } from "./status.tsx";
import { Took } from "./time.tsx";

/** The steps of a mission in words: what the graph shows, for those who do not see it or have no room for it. */
export function StepTable({ mission }: { mission: Mission }) {
  return (
    <table className="plain-table stacks">
      <caption className="unseen">Steps as they were declared, each with what undoes it</caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Status</th>
          <th scope="col">After</th>
          <th scope="col">Undo</th>
          <th scope="col" className="number">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {mission.steps.map((step) => (
          <StepRow key={step.name} mission={mission} step={step} />
        ))}
      </tbody>
    </table>
  );
}

function StepRow({ mission, step }: { mission: Mission; step: MissionStep }) {
  const undoTask = step.undoTask || step.undoUnknownTask;
  return (
    <tr>
      <th scope="row">
        {step.jobId === "" ? (
          step.name
        ) : (
          <Link to="/jobs/$id" params={{ id: step.jobId }}>
            {step.name}
          </Link>
        )}
        {step.pivot && <span className="dim"> · pivot</span>}
        <span className="step-task dim">{step.task}</span>
        {step.error && (
          <span className="attempt-error">
            <strong>{step.error.type}</strong> {step.error.message}
          </span>
        )}
      </th>
      <td data-name="status">
        <Status of={step.status} plain />
      </td>
      <td data-name="after">{step.after.join(", ") || <span className="dim">the launch</span>}</td>
      <td data-name="undo" data-wide>
        {undoTask === "" ? (
          <span className="dim">{step.noUndo ? "needs none" : "has none"}</span>
        ) : (
          <>
            <Badge look={undoLook(mission, step)} plain />{" "}
            {step.undoJobId === "" ? (
              <span className="dim">{undoTask}</span>
            ) : (
              <Link to="/jobs/$id" params={{ id: step.undoJobId }}>
                {undoTask}
              </Link>
            )}
          </>
        )}
      </td>
      <td className="number" data-name="took">
        <Took from={step.startTime} to={step.endTime} />
      </td>
    </tr>
  );
}
