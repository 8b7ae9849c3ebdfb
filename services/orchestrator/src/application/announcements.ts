import type { Transition } from "../domain/mission.ts";

/** Told of transitions after they are durable. A listener must neither throw nor wait. */
export type Listener = (transitions: readonly Transition[]) => void;

/**
 * Tells the rest of the process what a transaction of its own has committed: all of it is a hint, nothing depends on
 * it.
 */
export interface Announcements {
  announce(transitions: readonly Transition[]): void;
  subscribe(listener: Listener): void;
}

export function createAnnouncements(): Announcements {
  const listeners: Listener[] = [];
  return {
    announce: (transitions) => {
      if (transitions.length > 0) for (const listener of listeners) listener(transitions);
    },
    subscribe: (listener) => {
      listeners.push(listener);
    },
  };
}
