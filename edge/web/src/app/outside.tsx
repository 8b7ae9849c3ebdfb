import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { PageHead } from "../parts/page.tsx";
import { Empty, Trouble } from "../parts/states.tsx";

/** What stands at an address that leads nowhere. */
export function NotFound() {
  return (
    <>
      <PageHead title="Not found" name="Not found" />
      <Empty title="There is no page at this address.">
        <p>
          <Link to="/">Overview</Link>
        </p>
      </Empty>
    </>
  );
}

/** A page that broke while it was drawn; the others still work. */
export function PageFailed({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <PageHead title="This page broke" name="Broken page" />
      <Trouble error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
    </>
  );
}
