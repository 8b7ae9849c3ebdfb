import { type Look, lookOf, type Shape } from "../domain/status-look.ts";

/** Each shape on a field of 16 by 16; drawn in the colour of the text around it. */
const STROKES: Readonly<Record<Shape, string>> = {
  clock: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11M8 5v3l2 1.6",
  ring: "M8 3.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9",
  play: "",
  loop: "M12.8 6A5.2 5.2 0 0 0 3.4 5.4M3.2 2.6v3h3M3.2 10a5.2 5.2 0 0 0 9.4.6M12.8 13.4v-3h-3",
  check: "M3 8.6l3.4 3.4L13 4.8",
  cross: "M4 4l8 8M12 4l-8 8",
  slash: "M8 2.8a5.2 5.2 0 1 1 0 10.4a5.2 5.2 0 0 1 0-10.4M4.4 11.6l7.2-7.2",
  hourglass:
    "M4.5 2.5h7M4.5 13.5h7M5.2 2.8c0 3 2.8 3.6 2.8 5.2s-2.8 2.2-2.8 5.2M10.8 2.8c0 3-2.8 3.6-2.8 5.2s2.8 2.2 2.8 5.2",
  back: "M6 3.5L2.8 6.6L6 9.8M3 6.6h6.4a3.3 3.3 0 0 1 0 6.4H7",
  triangle: "M8 2.6l5.9 10.4H2.1zM8 6.6v3M8 11.3v.1",
  question: "M5.4 5.9a2.7 2.7 0 1 1 3.7 2.6c-.8.3-1.1.8-1.1 1.6M8 12.6v.2",
  dash: "M4 8h8",
  dot: "",
  "bell-off": "M4.6 10.6V7.4a3.4 3.4 0 0 1 5.6-2.6M11.4 7.2v3.4M3.4 10.8h9.2M7 13h2M3 3l10 10",
};

const FILLS: Partial<Readonly<Record<Shape, string>>> = {
  play: "M4.8 2.9v10.2L13 8z",
  dot: "M8 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8",
};

/** The mark of a status. Decoration: the word stands beside it, or in its place for those who do not see. */
export function Mark({ shape }: { shape: Shape }) {
  return (
    <svg className="mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
      {STROKES[shape] !== "" && (
        <path d={STROKES[shape]} fill="none" stroke="currentColor" strokeWidth="1.7" />
      )}
      {FILLS[shape] && <path d={FILLS[shape]} fill="currentColor" />}
    </svg>
  );
}

/** A look as mark and word in its colour. */
export function Badge({ look, plain = false }: { look: Look; plain?: boolean }) {
  return (
    <span className={plain ? "status plain" : "status"} data-tone={look.tone}>
      <Mark shape={look.shape} />
      <span className="word">{look.word}</span>
    </span>
  );
}

/** A status of a job, attempt, mission, step or alert. */
export const Status = ({ of, plain = false }: { of: string; plain?: boolean }) => (
  <Badge look={lookOf(of)} plain={plain} />
);
