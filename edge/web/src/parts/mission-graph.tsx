import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Mission } from "../api/contract.ts";
import { BOX, layOutMission, type MissionLayout, type PlacedStep } from "../domain/mission-layout.ts";
import { lookOf } from "../domain/status-look.ts";
import { Badge } from "./status.tsx";

/** The whole shape of a mission, begun or not: the way forward, and beneath it the way back. */
export function MissionGraph({ mission, chosen }: { mission: Mission; chosen: string | undefined }) {
  const layout = useMemo(() => layOutMission(mission), [mission]);
  return (
    <section
      className="graph"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached by keyboard.
      tabIndex={0}
      aria-label="Graph of the mission; the view Table says the same in words"
    >
      <div className="graph-field" style={{ width: layout.width, height: layout.height }}>
        <Lines layout={layout} />
        <p className="lane-name" style={{ top: 8 }}>
          forward →
        </p>
        {layout.undoTop !== undefined && (
          <p className="lane-name" style={{ top: layout.undoTop - 26 }}>
            ← way back
          </p>
        )}
        {layout.steps.map((placed) => (
          <StepBox key={placed.step.name} placed={placed} chosen={placed.step.name === chosen} />
        ))}
        {layout.steps.map((placed) => (
          <UndoBox key={placed.step.name} placed={placed} />
        ))}
      </div>
    </section>
  );
}

function Lines({ layout: { edges, width, height } }: { layout: MissionLayout }) {
  return (
    <svg className="graph-lines" width={width} height={height} aria-hidden="true" focusable="false">
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerUnits="userSpaceOnUse"
          markerWidth="9"
          markerHeight="9"
          orient="auto"
        >
          <path d="M0 .8L7 4L0 7.2z" className="graph-tip" />
        </marker>
      </defs>
      {edges.map(({ path, lane, taken }) => (
        <path
          key={`${lane} ${path}`}
          d={path}
          data-lane={lane}
          data-taken={taken}
          markerEnd={lane === "down" ? undefined : "url(#tip)"}
        />
      ))}
    </svg>
  );
}

function StepBox({ placed: { step, x, y }, chosen }: { placed: PlacedStep; chosen: boolean }) {
  const look = lookOf(step.status);
  return (
    <Link
      to="."
      search={(before) => ({ ...before, step: step.name })}
      replace
      resetScroll={false}
      className="step-box"
      data-tone={look.tone}
      data-planned={step.status === "PENDING"}
      data-chosen={chosen}
      style={{ left: x, top: y, width: BOX.width, height: BOX.height }}
    >
      <span className="step-name" title={step.name}>
        <span className="step-word">{step.name}</span>
        {step.pivot && <Lock />}
      </span>
      <Badge look={look} plain />
    </Link>
  );
}

/** The pivot: once this step has succeeded there is no way back. */
function Lock() {
  return (
    <span className="lock" title="No way back once it has succeeded">
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
        <path
          d="M3.5 7.2h9v6.3h-9zM5.4 7V5.2a2.6 2.6 0 0 1 5.2 0V7"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
        />
      </svg>
      <span className="unseen">pivot: no way back once it has succeeded</span>
    </span>
  );
}

function UndoBox({ placed: { step, undo } }: { placed: PlacedStep }) {
  if (undo === undefined) return null;
  const box = { left: undo.x, top: undo.y, width: BOX.width, height: BOX.height };
  const inside = (
    <>
      <span className="step-name" title={step.name}>
        {undo.turn !== undefined && <span className="undo-turn">{undo.turn}</span>}
        <span className="step-word">
          <span className="unseen">undo of </span>
          {step.name}
        </span>
      </span>
      <Badge look={undo.look} plain />
    </>
  );
  const about = {
    className: "step-box undo-box",
    "data-tone": undo.look.tone,
    "data-planned": !undo.begun,
    style: box,
  };
  if (undo.jobId === "") return <div {...about}>{inside}</div>;
  return (
    <Link to="/jobs/$id" params={{ id: undo.jobId }} {...about}>
      {inside}
    </Link>
  );
}
