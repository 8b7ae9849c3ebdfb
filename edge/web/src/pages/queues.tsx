import { useQuery } from "@tanstack/react-query";
import { useSession } from "../app/session.tsx";
import { queues } from "../data/readings.ts";
import { PageHead } from "../parts/page.tsx";
import { QueueTable } from "../parts/queue-table.tsx";
import { Asked, Empty, Read } from "../parts/states.tsx";
import { countOf } from "../words/count-text.ts";

/** What waits in which queue, how long, and what holds it back. */
export function QueuesPage() {
  const { reader } = useSession();
  const reading = useQuery(queues(reader));
  return (
    <>
      <PageHead title="Queues" name="Queues">
        {reading.data && (
          <Asked readAtMs={reading.dataUpdatedAt}>{countOf(reading.data.queues.length, "queue")}</Asked>
        )}
      </PageHead>
      <Read reading={reading}>
        {({ queues: list }) =>
          list.length === 0 ? (
            <Empty title="No queue has been used yet.">
              <p className="dim">A queue appears with the first job that is submitted to it.</p>
            </Empty>
          ) : (
            <div className="panel scrolls">
              <QueueTable queues={list} label="Queues by name" limits />
            </div>
          )
        }
      </Read>
    </>
  );
}
