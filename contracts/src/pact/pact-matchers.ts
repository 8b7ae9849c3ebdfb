/** What consumers' contracts say alike: the shapes that the APIs and events have in common. */
import { MatchersV3 } from "@pact-foundation/pact";

const { boolean, integer, regex, string } = MatchersV3;

/** In a path: the id that the provider's state names. */
export const ID_OF_STATE = `\${id}`;

/** A time (RFC 3339) in UTC. */
export const time = (example = "2026-01-01T10:20:30Z") =>
  regex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z", example);

/** The version of an event's schema: any of the first major one. */
export const version = () => regex("1\\.\\d+\\.\\d+", "1.0.0");

/** The name of an enum's value, whichever it is. */
export const word = (example: string) => regex("[A-Z_]+", example);

/** How far the read model was when it answered. */
export const fresh = () => ({ asOf: time(), lagMs: integer(0), complete: boolean(true) });

/** What a page of a list says beside the list. */
export const page = () => ({
  nextPageToken: string(""),
  totalSize: integer(1),
  totalExact: boolean(true),
  ...fresh(),
});
