import { expect, test } from "@jest/globals";
import { lastRelease } from "@orrery/contracts/schema/released";
import { readEvent } from "../../../src/adapters/events/event-reader.ts";

const release = lastRelease();

test.each(release.events.map((event) => [event.eventType, event] as const))(
  "%s is projected as the last release put it on the wire",
  (_type, event) => {
    const reading = readEvent(JSON.stringify(event));
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    expect(reading.projection.document).toMatchObject({
      id: event.aggregateId,
      version: event.aggregateVersion,
      project: event.projectId,
    });
  },
);
