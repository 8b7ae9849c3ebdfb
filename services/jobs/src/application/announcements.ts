import type { Moved } from "../domain/job.ts";

/** Told of transitions after they are durable. A listener must neither throw nor wait. */
export type Listener = (changes: readonly Moved[]) => void;

/**
 * Tells the rest of the process what a transaction of its own has committed: all of it is a hint, nothing
 * depends on it.
 */
export interface Announcements {
  announce(changes: readonly Moved[]): void;
  subscribe(listener: Listener): void;
}

export function createAnnouncements(): Announcements {
  const listeners: Listener[] = [];
  return {
    announce: (changes) => {
      if (changes.length > 0) for (const listener of listeners) listener(changes);
    },
    subscribe: (listener) => {
      listeners.push(listener);
    },
  };
}
