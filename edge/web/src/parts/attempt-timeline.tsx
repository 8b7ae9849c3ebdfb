import type { Attempt, Job } from "../api/contract.ts";
import { type AttemptRow, attemptTimeline, type Stretch } from "../domain/attempt-timeline.ts";
import { hasEnded, lookOf } from "../domain/status-look.ts";
import { durationText } from "../words/duration-text.ts";
import { useNow } from "./clock.ts";
import { Empty } from "./states.tsx";
import { Status } from "./status.tsx";
import { When } from "./time.tsx";

/** A job's attempts, each as a bar over the time from its submission: hollow while it waited, full while it ran. */
export function AttemptTimelineView({ job, attempts }: { job: Job; attempts: readonly Attempt[] }) {
  const nowMs = useNow();
  const timeline = attemptTimeline(job, attempts, nowMs);
  if (attempts.length === 0 && hasEnded(job.status))
    return <Empty title="It ended before its first attempt." />;
  return (
    <>
      <div className="axis" aria-hidden="true">
        <span>submitted</span>
        <span>
          {hasEnded(job.status) ? "ended" : "now"}, {durationText(timeline.wholeMs)}
        </span>
      </div>
      <ol className="attempts">
        {timeline.rows.map((row) => (
          <AttemptLine key={row.attempt.attempt} row={row} />
        ))}
        {timeline.waiting && !hasEnded(job.status) && (
          <li className="attempt">
            <div className="attempt-head">
              <Status of={job.status} />
              <span className="dim">waits for {durationText(timeline.waiting.tookMs)}</span>
            </div>
            <div className="track">
              <Bar stretch={timeline.waiting} tone="waiting" />
            </div>
          </li>
        )}
      </ol>
    </>
  );
}

function AttemptLine({ row: { attempt, waited, ran, open } }: { row: AttemptRow }) {
  const { tone } = lookOf(attempt.status);
  return (
    <li className="attempt">
      <div className="attempt-head">
        <strong>Attempt {attempt.attempt}</strong>
        <Status of={attempt.status} />
        <span className="dim">
          {attempt.worker && <>on {attempt.worker} · </>}
          <When at={attempt.startTime} />
        </span>
        <span className="attempt-times number">
          waited {durationText(waited.tookMs)} · {open ? "running for" : "ran"} {durationText(ran.tookMs)}
        </span>
      </div>
      <div className="track" aria-hidden="true">
        <Bar stretch={waited} tone="waiting" />
        <Bar stretch={ran} tone={tone} />
      </div>
      {attempt.error && (
        <p className="attempt-error">
          <strong>{attempt.error.type}</strong> {attempt.error.message}
        </p>
      )}
    </li>
  );
}

function Bar({ stretch: { kind, from, width }, tone }: { stretch: Stretch; tone: string }) {
  return (
    <span
      className="stretch"
      data-kind={kind}
      data-tone={tone}
      style={{ left: `${from * 100}%`, width: `max(${width * 100}%, ${kind === "running" ? "3px" : "0px"})` }}
    />
  );
}
