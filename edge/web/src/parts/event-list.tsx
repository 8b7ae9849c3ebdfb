import type { JsonValue } from "@bufbuild/protobuf";
import { useState } from "react";
import type { Envelope } from "../api/contract.ts";
import { eventStory } from "../domain/event-story.ts";
import { JsonTree } from "./json-tree.tsx";
import { Empty } from "./states.tsx";
import { Status } from "./status.tsx";
import { When } from "./time.tsx";

/** The facts about one aggregate in their order; each opens to its whole envelope. */
export function EventList({ events }: { events: readonly Envelope[] }) {
  if (events.length === 0) return <Empty title="No event has reached the read model yet." />;
  return (
    <ol className="events">
      {events.map((event) => (
        <EventLine key={event.eventId} event={event} />
      ))}
    </ol>
  );
}

/** Its tree is made when it is opened: a thousand trees that nobody looks at would take seconds. */
function EventLine({ event }: { event: Envelope }) {
  const [open, setOpen] = useState(false);
  const { name, status, text } = eventStory(event);
  return (
    <li>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <span className="event-version number">{event.aggregateVersion}</span>
          <span className="event-name">{name}</span>
          {status !== "" && <Status of={status} plain />}
          <span className="event-text">{text}</span>
          <span className="event-when number">
            <When at={event.occurredAt} />
          </span>
        </summary>
        {open && <JsonTree value={event as unknown as JsonValue} name="the event" />}
      </details>
    </li>
  );
}
