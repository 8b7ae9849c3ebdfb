import type { Why } from "../domain/why-line.ts";
import { Countdown } from "./time.tsx";

/** One sentence: why something stands where it stands, and what happens next. */
export function WhyLine({ why }: { why: Why | undefined }) {
  if (why === undefined) return null;
  return (
    <p className="why" data-tone={why.tone}>
      <strong>Why</strong> {why.text}
      {why.until !== undefined && (
        <>
          {" "}
          <span className="why-until">
            in <Countdown until={why.until} />
          </span>
        </>
      )}
    </p>
  );
}
